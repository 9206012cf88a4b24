import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';

/** The built adapters, as a process of its own imports them: Node 20 runs no TypeScript. */
export const built = (module: string): string =>
  JSON.stringify(new URL(`../../dist/agent/adapters/${module}.js`, import.meta.url).href);

export interface Spawned {
  readonly child: ChildProcess;
  /** Resolves once the process has ended and was waited for. */
  readonly ended: Promise<unknown>;
}

/** A Node process that runs this module; it dies with the test. */
export function runModule(
  source: string,
  parameters: readonly string[],
  onLine: (line: string) => void,
): Spawned {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: child.stdout }).on('line', onLine);
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}
