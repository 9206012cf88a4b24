import { withReport } from '../../shared/cycle/reports.ts';
import { learn } from '../../shared/cycle/restore.ts';
import { ok, type Failure, type Result } from '../../shared/failure.ts';
import { deliver, type Delivery, type Seen } from '../../shared/record/delivery.ts';
import type { Context } from '../context.ts';
import { adopt } from './adopt.ts';
import { classify, sightOf } from './own-branch.ts';

/** Milliseconds that looking at the own branch may keep a deployment waiting. */
const glanceTimeout = 30_000;

/**
 * Looks at the own state branch before a revision is judged: what this host accepted in a life that its journal does
 * not know is a floor (S2). A server that cannot be asked teaches nothing, as one that hides the branch would, and
 * stops nothing: the journal is there, and is a floor itself.
 */
export async function glance(context: Context): Promise<Result<void>> {
  const { memory, senses, signal } = context;
  const { host, pace } = memory.journal;
  const looked = await see(context, Math.min(pace.fetch, glanceTimeout));
  if (looked.ok) {
    const noted = await note(context, looked.value);
    return noted.ok ? ok(undefined) : noted;
  }
  if (!signal.aborted) senses.log({ kind: 'warning', host, message: unseen(host, looked.failure) });
  return ok(undefined);
}

/** Looks at the own state branch for the sake of delivery, and says what is to be done about it (S9). */
export async function look(context: Context): Promise<Result<Delivery>> {
  const seen = await see(context, context.memory.journal.pace.fetch);
  return seen.ok ? note(context, seen.value) : seen;
}

async function see(context: Context, timeout: number): Promise<Result<Seen>> {
  const tip = await sightOf(context, { timeout, signal: context.signal });
  return tip.ok ? classify(context, tip.value) : tip;
}

/**
 * What is seen goes into the journal: floors first, whatever follows. Only a machine whose genesis is pinned writes the
 * branch; to any other it is somebody else's business (P7).
 */
async function note(context: Context, seen: Seen): Promise<Result<Delivery>> {
  const { memory, senses } = context;
  const learnt = seen.is === 'unknown' ? await learnFrom(context, seen.records) : ok(undefined);
  if (!learnt.ok) return learnt;
  const { diverged, approved } = memory.journal;
  const own = { ...memory.journal, goesOn: diverged?.goesOn === true };
  const decision = deliver(own, seen, senses.clock.now());
  if (!approved || (diverged !== null && !diverged.goesOn)) return ok(decision);
  switch (decision.do) {
    case 'nothing':
      return ok(decision);
    case 'push':
      if (decision.report !== undefined) report(context, seen, decision.report);
      return ok(decision);
    case 'stop': {
      const { cause, where } = decision;
      const noted = await memory.write({ diverged: { cause, where, goesOn: false } });
      return noted.ok ? ok(decision) : noted;
    }
    case 'adopt': {
      if (seen.is !== 'unknown') throw new Error('only a chain that is not known can be gone on from');
      say(context, decision.report);
      const adopted = await adopt(context, seen);
      return adopted.ok ? ok(decision) : adopted;
    }
  }
}

async function learnFrom(
  context: Context,
  records: Extract<Seen, { is: 'unknown' }>['records'],
): Promise<Result<void>> {
  const { memory } = context;
  const generations = await context.effects('record').systems.generations();
  const change = learn(memory.journal, { records, generations });
  const { floors, newest } = memory.journal;
  const isNews = change.newest !== newest || JSON.stringify(change.floors) !== JSON.stringify(floors);
  return isNews ? memory.write(change) : ok(undefined);
}

/** Said once for each look at the server; what it no longer has is owed to it again, also by later cycles. */
function report(context: Context, seen: Seen, text: string): void {
  const { memory, sight } = context;
  if (!sight.isSaid) say(context, text);
  sight.isSaid = true;
  memory.remember({ delivered: seen.is === 'ours' ? seen.id : null });
}

/** Into the log now, and into the next record. */
function say({ memory, senses }: Context, text: string): void {
  const { host, reports } = memory.journal;
  senses.log({ kind: 'warning', host, message: text });
  memory.remember({ reports: withReport(reports, text) });
}

function unseen(host: string, { cause }: Failure): string {
  return `state/${host} cannot be looked at: ${cause}; going on with what this machine knows itself`;
}

/** Why nothing is pushed until a person decides which machine goes on; `undefined` when nothing stands in the way. */
export function divergence({ memory }: Context): Failure | undefined {
  const { diverged, approved } = memory.journal;
  if (!approved || diverged === null || diverged.goesOn) return undefined;
  return {
    kind: 'diverged',
    cause: diverged.cause,
    where: diverged.where,
    remedy:
      'two machines hold this key, or one was restored: stop the one that shall not go on, and run ' +
      '`autark enroll --resume` on the one that shall; nothing is pushed until then',
  };
}
