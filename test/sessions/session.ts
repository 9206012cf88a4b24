/**
 * Sessions: what a person types and what they see, in files that read as documentation.
 *
 *     # a comment
 *     $ autark init --key ../admin_key
 *     <commit:INTRO>
 *     2> Next:
 *     ...
 *     [exit 1]
 *
 * Lines after a command are its standard output, those behind `2> ` its standard error. `...` stands for any
 * lines. `<commit>` and its like stand for what differs each time; `<commit:NAME>` keeps it as `$NAME` for
 * the commands that follow. Without `[exit N]` a command must succeed.
 */
export interface Step {
  readonly line: number;
  readonly command: string;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  readonly code: number;
}

export function parseSession(text: string): readonly Step[] {
  const steps: { line: number; command: string; stdout: string[]; stderr: string[]; code: number }[] = [];
  text.split('\n').forEach((line, index) => {
    const step = steps.at(-1);
    const exit = /^\[exit (\d+)\]$/.exec(line)?.[1];
    if (line.startsWith('$ ')) {
      steps.push({ line: index + 1, command: line.slice(2), stdout: [], stderr: [], code: 0 });
    } else if (step === undefined || line === '' || line.startsWith('# ')) {
      return;
    } else if (line.startsWith('> ')) {
      step.command += `\n${line.slice(2)}`;
    } else if (exit !== undefined) {
      step.code = Number(exit);
    } else if (line.startsWith('2> ')) {
      step.stderr.push(line.slice(3));
    } else {
      step.stdout.push(line);
    }
  });
  return steps;
}

const patterns: Readonly<Record<string, string>> = {
  commit: '[0-9a-f]{40}',
  short: '[0-9a-f]{7}',
  id: '[0-9a-f]{32}',
  fingerprint: 'SHA256:[A-Za-z0-9+/]{43}',
  key: '[A-Za-z0-9+/]{68}',
  time: '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z',
  ago: '(?:now|\\d+[smhd] ago)',
  any: '.*',
};

/**
 * Compares what was printed with what the session shows, and keeps what it names.
 * @returns what is wrong, or `undefined`
 */
export function compare(
  expected: readonly string[],
  printed: string,
  variables: Map<string, string>,
): string | undefined {
  const lines = printed.split('\n').filter((line) => line !== '');
  const here = new Set([...expected.join('\n').matchAll(/<[a-z]+:([A-Z]+)>/g)].map(([, name]) => name ?? ''));
  const source = expected.map((line) =>
    line === '...' ? '(?:.*\\n)*?' : `${asPattern(line, variables, here)}\\n`,
  );
  const match = new RegExp(`^${source.join('')}$`).exec(lines.map((line) => `${line}\n`).join(''));
  for (const [name, value] of Object.entries(match?.groups ?? {})) variables.set(name, value);
  return match === null ? `expected:\n${expected.join('\n')}\nprinted:\n${lines.join('\n')}` : undefined;
}

/** Blanks in a row stand for at least one blank, so that columns may be as wide as what is in them. */
function asPattern(line: string, variables: ReadonlyMap<string, string>, here: ReadonlySet<string>): string {
  return line
    .split(/(<[a-z]+(?::[A-Z]+)?>|\$[A-Z]+)/)
    .map((part) => {
      const [, kind = '', name] = /^<([a-z]+)(?::([A-Z]+))?>$/.exec(part) ?? [];
      const pattern = patterns[kind];
      if (pattern !== undefined) return name === undefined ? pattern : `(?<${name}>${pattern})`;
      if (part.startsWith('$') && here.has(part.slice(1))) return `\\k<${part.slice(1)}>`;
      const known = part.startsWith('$') ? variables.get(part.slice(1)) : undefined;
      return (known ?? part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/ {2,}/g, ' +');
    })
    .join('');
}
