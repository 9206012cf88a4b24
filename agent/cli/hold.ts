import { ok, type Failure } from '../../shared/failure.ts';
import type { Hold } from '../../shared/cycle/hold.ts';
import type { FailedSystem } from '../../shared/cycle/journal.ts';
import { timestamp } from '../../shared/record/draft.ts';
import { holdByHand, release } from '../hold.ts';
import type { Act } from './verb.ts';
import { atRoot } from './shell-word.ts';
import { waitingOf } from './waiting.ts';

/** `autark hold`: nothing is activated on this machine until `autark resume`. */
export const hold: Act = async (args, { terminal, roles, root, signal, now }) => {
  const wanted = waitingOf('hold', args, now());
  if (!wanted.ok) return wanted;
  const held = await holdByHand(await roles.agentHost(root), wanted.value, signal);
  if (!held.ok) return held;
  const { hold: made, before, isHalfDone } = held.value;
  terminal.note(`this machine is held: ${made.reason} (${endOf(made, root)})`);
  if (before !== null) terminal.note(`before, it was ${saidOf(before, root)}`);
  if (isHalfDone) {
    terminal.note(
      'an activation was cut off here: the agent finishes or undoes that first, and nothing else',
    );
  }
  return ok(0);
};

/** `autark resume`: ends a hold by hand, and lets what failed be tried once more. */
export const resume: Act = async (_args, { terminal, roles, root, signal }) => {
  const released = await release(await roles.agentHost(root), signal);
  if (!released.ok) return released;
  const { hold: was, forgot } = released.value;
  for (const failed of [forgot?.failed, forgot?.failedTrial]) {
    if (failed !== undefined && failed !== null) terminal.note(againOf(failed));
  }
  if (was !== null) terminal.note(`this machine goes on; it was ${saidOf(was, root)}`);
  else if (forgot === null) terminal.note('this machine was not held by hand: there is nothing to end');
  return ok(0);
};

function againOf({ revision, cause }: FailedSystem): string {
  return `what failed at ${revision.slice(0, 7)} may be tried again, in the agent's next cycle; then it was: ${cause}`;
}

function endOf({ until }: Hold, root: string): string {
  const line = `\`${atRoot('autark resume', root)}\``;
  return until === undefined ? `until ${line}` : `until ${timestamp(until)}, or ${line}`;
}

function saidOf(was: Hold | Failure, root: string): string {
  if (!('since' in was)) return `held, though nobody can say for what: ${was.cause}`;
  return `held since ${timestamp(was.since)}: ${was.reason} (${endOf(was, root)})`;
}
