import type { Failure } from '../failure.ts';
import type { Aim } from './aim.ts';
import type { Journal } from './journal.ts';
import type { Phase } from './phase.ts';

/**
 * Whether the reboot that a generation asked for has happened: the kernel's boot id is another one. A kernel that does not
 * say its boot says nothing about it either (P4).
 */
export function hasRebooted({ rebootRequired }: Pick<Journal, 'rebootRequired'>, boot: string): boolean {
  return rebootRequired !== null && boot !== '' && rebootRequired !== boot;
}

/** What a phase has to say for it to be one of a generation that runs only from the next boot on. */
type Waiting = Pick<Extract<Phase, { at: 'confirm' }>, 'mode' | 'waitsIn'>;

/** Whether such a generation has booted since, so that it can be asked how it is. */
export function hasBootedInto({ mode, waitsIn }: Waiting, boot: string): boolean {
  return mode === 'boot' && waitsIn !== undefined && boot !== '' && waitsIn !== boot;
}

/**
 * Whether a generation is to be asked after the reboot. What a person goes back to by hand has proved itself before; and
 * where the kernel does not say which boot this is, nobody could tell that one has happened.
 */
export function asksAfterReboot(
  { mode, left, waitsIn }: Extract<Phase, { at: 'confirm' }>,
  boot: string,
): boolean {
  return mode === 'boot' && left === undefined && boot !== '' && waitsIn === boot;
}

/** The journal as it was before the boot default became one that has not run yet. Nothing changes where there is none. */
export function withoutUnproved({ unproved }: Pick<Journal, 'unproved'>): Partial<Journal> {
  if (unproved === null) return {};
  const { running, previous, earlier, rebootRequired } = unproved;
  return { running, previous, earlier, rebootRequired, unproved: null };
}

/**
 * What becomes of the journal when the machine has booted into what was unproved: as far as it goes, the switch has only
 * just happened, and has to be confirmed. Revisions that changed nothing may have arrived meanwhile.
 */
export function provesNow(journal: Journal): Partial<Journal> {
  const { unproved, running } = journal;
  if (unproved === null) return {};
  const { phase } = unproved;
  const revision = running?.revision ?? phase.revision;
  // What was to be tried may be tried now.
  const asBefore = { ...withoutUnproved(journal), rebootRequired: null, trial: null };
  return { ...asBefore, phase: { ...phase, revision } };
}

/** Why nothing is tried on this host just now; `undefined` when nothing is in the way. */
export function trialMustWait(
  { unproved, host }: Pick<Journal, 'unproved' | 'host'>,
  { isTrial }: Pick<Aim, 'isTrial'>,
): Failure | undefined {
  if (!isTrial || unproved === null) return undefined;
  const { to } = unproved.phase;
  return {
    kind: 'held',
    cause: `generation ${to} is the boot default and has not run yet: what is tried now would leave it unproved`,
    where: `testing/${host}`,
    remedy: `reboot ${host}; it is tried by itself after that`,
  };
}

/** What is known of an activation that went well. */
export interface Confirmed extends Pick<Waiting, 'mode'> {
  readonly boot: string;
  /** The activation's exit code. */
  readonly exit: number;
  readonly isBooted: boolean;
  /** Whether the machine itself asks for a reboot now; `null` when nobody can tell. */
  readonly asks: boolean | null;
}

/** The boot id under which a reboot is asked for, once a generation is confirmed; `null` when nothing asks for one. */
export function rebootAskedFor(
  { rebootRequired }: Pick<Journal, 'rebootRequired'>,
  { boot, mode, exit, isBooted, asks }: Confirmed,
): string | null {
  if (mode === 'boot') return isBooted && asks !== true ? null : boot;
  if (exit === 100) return boot;
  // What is only tried is gone after a reboot, which brings back what asked for one before.
  if (mode === 'test' || asks === null) return rebootRequired;
  return asks ? boot : null;
}
