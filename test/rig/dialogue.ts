import { spawn } from 'node:child_process';
import { patience } from './patience.ts';
import { program, type World } from './world.ts';

/** What a person types, once this is shown: keys as the terminal sends them, so `\r` is Enter and `\u0003` Ctrl-C. */
export type Answer = readonly [question: string, keys: string];

export interface Dialogue {
  /** What autark ended with; `null` where the terminal was gone before. */
  readonly code: number | null;
  /** All that the terminal showed meanwhile, echo of what was typed too; line ends as in a file. */
  readonly shown: string;
  /** Whether the terminal shows again what is typed, line by line, after autark has ended. */
  readonly isRestored: boolean;
}

export interface Setting {
  readonly env?: Readonly<Record<string, string>>;
  /** Shell words behind the command, such as `> FILE`. */
  readonly into?: string;
}

/** Runs autark in the clone on a terminal of its own, which echoes, and answers as a person would, one thing at a time. */
export async function talk(
  { clone, env }: World,
  words: readonly string[],
  answers: readonly Answer[] = [],
  { env: more = {}, into = '' }: Setting = {},
): Promise<Dialogue> {
  const command = [process.execPath, program, ...words].map(quoted).join(' ');
  // An interrupt from the keyboard reaches the whole foreground; this shell stays to look at the terminal.
  const script = `trap : INT; ${command} ${into}; printf '\\nENDED %s\\n' $?; stty -a`;
  const child = spawn('script', ['--quiet', '--return', '--command', script, '/dev/null'], {
    cwd: clone,
    env: { TERM: 'xterm', ...env, SHELL: '/bin/sh', ...more },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const rest = [...answers];
  let [shown, from] = ['', 0];
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    for (const [question, keys] of [...rest]) {
      const at = shown.indexOf(question, from);
      if (at < 0) return;
      from = at + question.length;
      rest.shift();
      child.stdin.write(keys);
    }
  });
  // Where a question never comes, what was shown until then says why.
  const late = setTimeout(() => child.kill('SIGHUP'), patience.timeout);
  await new Promise((resolve) => child.on('close', resolve));
  clearTimeout(late);
  const [, before = shown, code, modes = ''] =
    /^([^]*?)\nENDED (\d+)\n([^]*)$/.exec(shown.replaceAll('\r', '')) ?? [];
  if (rest.length > 0) throw new Error(`never asked: ${rest[0]?.[0] ?? ''}\n${shown}`);
  return {
    code: code === undefined ? null : Number(code),
    shown: before,
    isRestored: / echo /.test(modes) && / icanon /.test(modes),
  };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
