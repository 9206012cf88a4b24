import type { Aim } from './aim.ts';
import type { BuiltSystem, Generation, Journal, Running } from './journal.ts';

export type Guarded = 'switch' | 'unchanged';

/**
 * Whether a built system is to be activated at all. One that is the same as what runs is not, so that a host
 * which a revision does not concern is left alone.
 */
export function guard(
  built: BuiltSystem,
  running: Running | null,
  { isTrial }: Pick<Aim, 'isTrial'>,
): Guarded {
  if (running === null || running.kind !== built.kind || running.digest !== built.digest) return 'switch';
  if (running.secrets !== built.secrets) return 'switch';
  // What is only being tested is not what the machine boots.
  return running.testedIn === undefined || isTrial ? 'unchanged' : 'switch';
}

/**
 * The generation to go back to if a switch fails: what runs, also if that is being tested itself; but once something
 * is to stay, what the machine boots.
 */
export function wayBack(
  { running, lastGood }: Pick<Journal, 'running' | 'lastGood'>,
  { isTrial }: Pick<Aim, 'isTrial'>,
): number | null {
  if (running === null) return null;
  return running.testedIn === undefined || isTrial ? running.generation : lastGood;
}

/** What runs after a switch that could neither be finished nor undone: equal to nothing that is ever built. */
export function uncertain(running: Running | null): Running | null {
  if (running === null) return null;
  return { ...withoutInputs(running), digest: nobodyKnows };
}

/** Whether nobody knows which system runs, or how much of it. */
export function isUncertain({ digest }: Running): boolean {
  return digest === nobodyKnows;
}

const nobodyKnows = 'uncertain';

/** The same without the key of its inputs: then the next revision is built, whatever it touches. */
export function withoutInputs(running: Running): Omit<Running, 'inputs'> {
  const { inputs, ...others } = running;
  return others;
}

/** @param since RFC 3339: when it was activated, as far as is known */
export function runningFrom({ number, ...system }: Generation, since: string): Running {
  return { ...system, generation: number, since };
}

/** The generation that a person goes back to by hand: what ran before; from a trial, what the machine boots. */
export function wayBackByHand({
  running,
  previous,
  lastGood,
}: Pick<Journal, 'running' | 'previous' | 'lastGood'>): number | null {
  if (running === null) return null;
  const to = running.testedIn === undefined ? previous : lastGood;
  return to === running.generation ? null : to;
}

/** How many generations before the previous one are remembered; most of them are pruned long before. */
const most = 20;

/** What ran before a generation that follows on another one. */
export function ranBefore(
  { previous, earlier }: Pick<Journal, 'previous' | 'earlier'>,
  from: number | null,
): Pick<Journal, 'previous' | 'earlier'> {
  return { previous: from, earlier: previous === null ? earlier : [...earlier, previous].slice(-most) };
}

/** What ran before a generation that was gone back to, as far as the journal remembers. */
export function backIn(
  { previous, earlier }: Pick<Journal, 'previous' | 'earlier'>,
  to: number,
): Pick<Journal, 'previous' | 'earlier'> {
  // From a trial the machine goes back to what it boots, and what ran before that is what ran before.
  if (previous !== to) return { previous, earlier };
  return { previous: earlier.at(-1) ?? null, earlier: earlier.slice(0, -1) };
}
