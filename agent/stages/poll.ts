import { fail, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Context } from '../context.ts';
import { noSpace } from './no-space.ts';

/** Where the configuration branch is on the server: one fetch, nothing else (P9). */
export async function poll(context: Context): Promise<Result<ObjectId>> {
  const { git, machine } = context.effects('poll');
  const timeout = context.memory.journal.pace.fetch;
  const head = await git.fetchHead({ timeout, signal: context.signal });
  if (head.ok || context.signal.aborted) return head;
  return (await machine.isFull()) ? fail(noSpace('the fetch could not be written', head.failure)) : head;
}
