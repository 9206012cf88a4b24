import type { Heads } from '../../shared/cycle/aim.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { Context } from '../context.ts';
import { noSpace } from './no-space.ts';

/** Where the branches are on the server: one fetch, nothing else (P9). */
export async function poll(context: Context): Promise<Result<Heads>> {
  const { git, machine } = context.effects('poll');
  const timeout = context.memory.journal.pace.fetch;
  const head = await git.fetchHead({ timeout, signal: context.signal });
  if (head.ok) return ok({ revision: head.value, testing: await git.testingTip() });
  if (context.signal.aborted) return head;
  return (await machine.isFull()) ? fail(noSpace('the fetch could not be written', head.failure)) : head;
}
