/** As sh takes it for one word, whatever is in it; as it is where that is so anyway. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : quoted(text);
}

/** The same, in quotes in any case. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
