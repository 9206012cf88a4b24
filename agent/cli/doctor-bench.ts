import { unknown, type Checked } from '../../shared/doctor/checked.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Context } from './verb.ts';

/** What the checks may use of the call. */
export type Bench = Pick<Context, 'now' | 'signal'>;

/** Milliseconds: more than any probe waits by itself, for what the system itself does not answer. */
const patience = 30_000;

/**
 * One check, within its time. Whatever becomes of it, the others are told: one that breaks off, or that a file system
 * keeps waiting, is said to be unknown.
 */
export async function inTime(
  rule: string,
  work: () => Promise<readonly Checked[]>,
  { signal }: Pick<Bench, 'signal'>,
  wait = patience,
): Promise<readonly Checked[]> {
  // One of its own: many checks listen at the same time.
  const ended = AbortSignal.any([signal]);
  let timer: NodeJS.Timeout | undefined;
  let end = (): void => undefined;
  const late = new Promise<readonly Checked[]>((resolve) => {
    end = () => {
      resolve([unknown(rule, 'it was interrupted')]);
    };
    timer = setTimeout(() => {
      resolve([unknown(rule, `there was no answer within ${wait / 1000} s`)]);
    }, wait);
    ended.addEventListener('abort', end);
    // One that came first is told to no listener.
    if (ended.aborted) end();
  });
  try {
    return await Promise.race([late, work()]);
  } catch (error) {
    const said = oneLine(error instanceof Error ? error.message : String(error));
    return [unknown(rule, `it broke off, which is a bug in autark: ${said}`)];
  } finally {
    clearTimeout(timer);
    ended.removeEventListener('abort', end);
  }
}
