/** As sh takes it for one word, whatever is in it; as it is where that is so anyway. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/** A line for the host below `--root`, so that whoever copies it means that host. */
export function atRoot(line: string, root: string): string {
  return root === '/' ? line : `${line} --root ${shellWord(root)}`;
}

/** As sh takes it for one word, in quotes in any case. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
