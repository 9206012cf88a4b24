import type { Journal, Running } from '../shared/cycle/journal.ts';
import { exitCode, ok, type Result } from '../shared/failure.ts';
import type { Context } from './context.ts';
import { bootOf } from './stages/switch.ts';

/**
 * What runs has its secrets in their place: after a boot that had no unit for that, after somebody removed them, and when
 * whoever placed them told no unit: a cycle that was cut off, the watchdog, a person. Looks at one link and one file while
 * there is nothing to do, and at none on a host without secrets.
 */
export async function noticeSecrets(context: Context): Promise<Result<void>> {
  const { journal } = context.memory;
  if (journal.standing?.event === 'retired') return ok(undefined);
  const wanted = (await runsNow(context))?.secrets;
  if (wanted === undefined) return ok(undefined);
  const { secrets } = context.effects('poll');
  const isPlaced = (await secrets.placed()) === wanted;
  if (isPlaced && !(await secrets.owesTelling())) return ok(undefined);
  const held = await context.memory.hold(context.signal);
  if (!held.ok) return held;
  const placed = isPlaced ? ok(undefined) : await secrets.place(wanted);
  const told = placed.ok ? await secrets.tellUnits() : placed;
  const { host } = journal;
  if (!told.ok) context.senses.log({ kind: 'failure', host, stage: 'poll', failure: told.failure });
  else if (!isPlaced) {
    context.senses.log({ kind: 'warning', host, message: 'the secrets of what runs were put back' });
    // What was said of them may be true no more: the head is looked at again.
    if (journal.standing?.code === exitCode('secret-unopened'))
      return context.memory.write({ standing: null });
  }
  return ok(undefined);
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
