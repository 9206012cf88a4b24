import { existsSync } from 'node:fs';
import type { Result } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';

/** What systemctl(1) says of a unit. */
export interface UnitState {
  /** `ActiveState`. */
  readonly active: string;
  /** Whether systemd has yet to do something about it. */
  readonly isQueued: boolean;
}

/** Whether systemd runs this machine (sd_booted(3)). */
export function isBootedBySystemd(folder = '/run/systemd/system'): boolean {
  return existsSync(folder);
}

/** The unit of something that is begun as a transient service: the name says whose it is. */
export function unitOf(name: string): string {
  return `autark-${name}.service`;
}

/** Milliseconds that systemd may take to answer. During a boot or a reload it may be busy. */
const patience = 30_000;

/**
 * Runs one of systemd's own programs, which ends by itself: its standard output, or what it complained of, stripped
 * and bounded. An activation goes on when the agent is asked to stop, so nothing aborts this.
 */
export async function askSystemd(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  timeout = patience,
): Promise<Result<string, string>> {
  // Loaded when systemd is asked something: a boot that places secrets asks nothing, and waits for what it loads.
  const { runProcess } = await import('./process/run.ts');
  const task = { file, args, cwd: '/', env, outputCap: 2 ** 20, stdout: 'keep', leftovers: 'end' } as const;
  const ran = await runProcess(task, { timeout, signal: new AbortController().signal });
  const { ending } = ran;
  if (ending.how === 'exited' && ending.code === 0) {
    return { ok: true, value: Buffer.from(ran.stdout).toString('utf8').trimEnd() };
  }
  const said = ending.how === 'unstartable' ? ending.reason : oneLine(ran.tail);
  return { ok: false, failure: said === '' ? `${file} did not end well` : `${file}: ${said}` };
}
