import { spawn } from 'node:child_process';

/** Runs an ordinary tool of the machine, which must succeed: its output. */
export function tool(
  name: string,
  args: readonly string[],
  { env = {}, input = '' }: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const path = process.env['PATH'] ?? '';
    const child = spawn(name, args, {
      env: { PATH: path, LC_ALL: 'C', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const out: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out));
      else reject(new Error(`${name} ${args.join(' ')}: exit ${String(code)}`));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
