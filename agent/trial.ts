import { endOfTrial, type Heads } from '../shared/cycle/aim.ts';
import { runningFrom, uncertain } from '../shared/cycle/guard.ts';
import type { Journal, Running } from '../shared/cycle/journal.ts';
import { ok, type Result } from '../shared/failure.ts';
import type { ObjectId } from '../shared/objects/object.ts';
import { timestamp } from '../shared/record/draft.ts';
import { historyFrom } from '../shared/trust/history.ts';
import { descends } from '../shared/trust/verdict.ts';
import type { Context } from './context.ts';
import { failed, finish, type Ended } from './ending.ts';
import { isAuthentic, measureOf, readFleet, type Verified } from './stages/verify.ts';
import { generationOf } from './stages/switch.ts';

/** Forgets a trial that is over, by its branch or by a reboot, before anything is decided. */
export async function endTrial(context: Context, heads: Heads): Promise<Result<void>> {
  const { memory, signal } = context;
  const change = { ...(await afterReboot(context)), ...endOfTrial(memory.journal, heads) };
  if (Object.keys(change).length === 0) return ok(undefined);
  const held = await memory.hold(signal);
  return held.ok ? memory.write(change) : held;
}

/** A machine that booted since runs what it boots, no more what was being tested; that is then tried again. */
async function afterReboot(context: Context): Promise<Partial<Journal> | undefined> {
  const { memory, senses } = context;
  const { running, lastGood, fleet } = memory.journal;
  if (running?.testedIn === undefined) return undefined;
  const { boot } = await context.effects('poll').machine.facts(fleet);
  if (boot === running.testedIn) return undefined;
  const booted = await generationOf(context, 'poll', lastGood);
  const since = timestamp(senses.clock.now());
  return { trial: null, running: booted === undefined ? unknown(running) : runningFrom(booted, since) };
}

/** What the machine booted cannot be told: it is equal to nothing that is ever built. */
function unknown(running: Running): Running | null {
  const { testedIn, ...others } = running;
  return uncertain(others);
}

/**
 * Whether the revision on `testing/<host>` may be tried: authentic like any other (S1), and descending from what this
 * host has accepted, which it does not move. One that main has left behind is `overtaken`; that is found out first,
 * for it is how most trials end, and nothing need be verified for it.
 */
export async function verifyTrial(
  context: Context,
  revision: ObjectId,
): Promise<Result<Verified | 'overtaken'>> {
  const { git } = context.effects('verify');
  const { memory, settings, version } = context;
  const { accepted, floors: learnt } = memory.journal;
  // The head was judged before: what is accepted is what this must descend from, and what was learnt since (S2).
  const accepteds = accepted === null ? [] : [accepted];
  const isAbove = await descends({ head: revision, floors: [...accepteds, ...learnt] }, historyFrom(git));
  if (!isAbove.ok) return isAbove.failure.rule === 'S2' ? ok('overtaken') : isAbove;
  const authentic = await isAuthentic(git, revision, measureOf(context, accepteds));
  return authentic.ok ? readFleet(git, revision, { dir: settings.dir, version }) : authentic;
}

/** Main has left the revision behind: the trial is over, and it is not looked at again. */
export async function overtake(context: Context, revision: ObjectId): Promise<Ended> {
  const { memory, senses } = context;
  const { host } = memory.journal;
  const message = `testing/${host} does not descend from the head of main (any more): it is not tried`;
  senses.log({ kind: 'warning', host, message });
  const noted = await memory.write({ overtaken: revision });
  return noted.ok ? finish(context) : failed(context, 'verify', noted.failure);
}
