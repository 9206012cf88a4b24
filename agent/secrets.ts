import type { Journal, Running } from '../shared/cycle/journal.ts';
import { exitCode, ok, type Failure, type Result } from '../shared/failure.ts';
import { carryOn } from './carry-on.ts';
import type { Context } from './context.ts';
import { secretsFlaw, unplaced } from './stages/secrets.ts';
import { bootOf } from './stages/switch.ts';

/**
 * What runs has its secrets in their place, and its links: after a boot that had no unit for that, after somebody removed or
 * replaced one, and when whoever placed them told no unit: a cycle that was cut off, the watchdog, a person. Looks at each value
 * and link and at one file while there is nothing to do, and at none on a host without secrets.
 */
export async function noticeSecrets(context: Context): Promise<Result<void>> {
  if ((await news(context)) === undefined) return ok(undefined);
  const held = await context.memory.hold(context.signal);
  if (!held.ok) return held;
  // Until now a person's `rollback` may have had them in its hands, or have been cut off: what runs is asked again.
  const carried = await carryOn(context);
  const found = carried.ok ? await news(context) : undefined;
  return found === undefined ? carried : putBack(context, found);
}

/** The set that is to be in its place, and how it is. */
interface News {
  readonly wanted: string;
  readonly isPlaced: boolean;
  readonly isWhole: boolean;
}

/** `undefined` where there is nothing to do or to look at. */
async function news(context: Context): Promise<News | undefined> {
  const { journal } = context.memory;
  if (journal.standing?.event === 'retired') return undefined;
  const wanted = (await runsNow(context))?.secrets;
  if (wanted === undefined) return undefined;
  const { secrets } = context.effects('poll');
  const isPlaced = (await secrets.placed()) === wanted;
  const isWhole = isPlaced && !(await secrets.owesMending());
  // What was recorded as wrong may be well by now.
  const isQuiet = journal.standing?.code !== exitCode('secret-unopened');
  const isDone = isWhole && isQuiet && !(await secrets.owesTelling());
  return isDone ? undefined : { wanted, isPlaced, isWhole };
}

async function putBack(context: Context, { wanted, isPlaced, isWhole }: News): Promise<Result<void>> {
  const { secrets } = context.effects('poll');
  const { host } = context.memory.journal;
  const placed = isPlaced ? ok(undefined) : await secrets.place(wanted);
  const told = placed.ok ? await secrets.tellUnits() : placed;
  if (!told.ok) context.senses.log({ kind: 'failure', host, stage: 'poll', failure: told.failure });
  const flaw = placed.ok ? await secretsFlaw(context, { secrets: wanted }) : unplaced(placed.failure);
  if (!isWhole && placed.ok && !(await secrets.owesMending()))
    context.senses.log({ kind: 'warning', host, message: 'the secrets of what runs were put back' });
  return sayAnew(context, wanted, flaw);
}

/**
 * Where the last record says of the secrets of what runs what is true no more, the head is looked at again. Not while something
 * else runs than the head brought: that would be looked at in its place.
 */
async function sayAnew(context: Context, wanted: string, flaw: Failure | undefined): Promise<Result<void>> {
  const { running, standing, drift } = context.memory.journal;
  const isOfHead = running?.secrets === wanted && running.waitsIn === undefined && drift === null;
  if (standing === null || !isOfHead || running.testedIn !== undefined) return ok(undefined);
  // Of several codes the first in the cycle's order counts: secrets are the last.
  const isOfSecrets = standing.code === 0 || standing.code === exitCode('secret-unopened');
  const isSame = flaw === undefined ? standing.code === 0 : standing.cause === flaw.cause;
  return isSame || !isOfSecrets ? ok(undefined) : context.memory.write({ standing: null });
}

/** What is only the boot default does not run yet: its secrets come with the boot. */
async function runsNow(context: Context): Promise<Pick<Running, 'secrets'> | null> {
  const { running, unproved, drift }: Journal = context.memory.journal;
  const strayed = drift?.strays.find(({ link }) => link === 'current-system')?.leads;
  // An older one, from the boot menu or by a person's switch, has its own (S14).
  if (typeof strayed === 'string') {
    const generations = await context.effects('poll').systems.generations();
    const other = generations.findLast(({ path }) => path === strayed);
    if (other !== undefined) return other;
  }
  const { waitsIn, testedIn } = running ?? {};
  if (waitsIn === undefined && testedIn === undefined) return running;
  const boot = await bootOf(context);
  // After a reboot that ended a trial, nobody has looked yet what was booted.
  if (testedIn !== undefined && testedIn !== boot) return null;
  return waitsIn === boot ? (unproved?.running ?? null) : running;
}
