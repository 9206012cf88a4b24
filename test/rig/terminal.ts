import { run, type RanProgram } from './run.ts';
import { program, type World } from './world.ts';

export interface OnTerminal {
  /** What the person types, lines and all. */
  readonly typed?: string;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs autark in the clone on a terminal of its own, by way of script(1). What it shows comes as standard output, with
 * a terminal's line ends taken away.
 */
export async function onTerminal(
  { clone, env }: World,
  words: readonly string[],
  { typed = '', columns = 80, env: more = {} }: OnTerminal = {},
): Promise<RanProgram> {
  const command = [process.execPath, program, ...words].map(quoted).join(' ');
  const script = `stty cols ${columns} -echo; exec ${command}`;
  const ran = await run('script', ['--quiet', '--return', '--command', script, '/dev/null'], {
    cwd: clone,
    env: { TERM: 'xterm', ...env, SHELL: '/bin/sh', ...more },
    input: typed,
  });
  return { ...ran, stdout: ran.stdout.replaceAll('\r', '') };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
