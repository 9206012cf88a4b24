import type { Host } from '../fleet/fleet.ts';
import type { Aim } from './aim.ts';
import { isLeft, leftRemedy, leftSentence } from './corrections.ts';
import { isUncertain } from './guard.ts';
import type { Drift, Journal, LinkName, Running, Stray } from './journal.ts';

/** Where a machine's links lead, and nothing else: to read them costs next to nothing (P9). */
export interface Sighting {
  /** The kernel's boot id now. */
  readonly boot: string;
  /** Where each link leads; `null` when it is missing, cannot be read, or is no link. */
  readonly leads: Readonly<Record<LinkName, string | null>>;
  /** The system of the generation that was asked about, by that generation's own link; `null` as above. */
  readonly system: string | null;
}

/** The generation that the machine is to boot; `null` when none was ever deployed. */
export function bootsInto({ running, lastGood }: Pick<Journal, 'running' | 'lastGood'>): number | null {
  if (running === null) return null;
  return running.testedIn === undefined ? running.generation : lastGood;
}

/**
 * The links that lead elsewhere than the agent left them; `null` when nobody can tell. That is so while a switch is half
 * done, after one that was neither finished nor undone, and before anything was deployed.
 */
export function findStrays(journal: Journal, sighting: Sighting): readonly Stray[] | null {
  const { running } = journal;
  if (running === null || isUncertain(running) || isHalfDone(journal)) return null;
  // The reboot ended a trial, which is forgotten first.
  if (running.testedIn !== undefined && running.testedIn !== sighting.boot) return null;
  return expected(running, journal, sighting).flatMap(([link, should]) => {
    const leads = sighting.leads[link];
    return should === null || leads === should ? [] : [{ link, should, leads }];
  });
}

/** Where the links must lead; `null` where nobody can say. */
function expected(
  running: Running,
  journal: Journal,
  { boot, system }: Sighting,
): readonly (readonly [LinkName, string | null])[] {
  if (running.kind === 'exec') return [['current', `generations/${bootsInto(journal) ?? 0}`]];
  // A trial runs and is not what the machine boots.
  const boots = running.testedIn === undefined ? running.path : system;
  // The boot default alone: what ran before it runs on until the reboot, and the journal does not know its path.
  const runs = running.waitsIn === boot ? null : running.path;
  return [
    ['profile', boots],
    ['current-system', runs],
  ];
}

/** In these phases the agent itself is about to move the links. */
function isHalfDone({ phase }: Journal): boolean {
  return phase.at === 'switch' || phase.at === 'confirm' || phase.at === 'rollback';
}

/**
 * What the journal is to say of a drift from now on; `undefined` when that is what it says already. `null` says that
 * somebody has undone it.
 */
export function driftNews(journal: Journal, sighting: Sighting): Drift | null | undefined {
  const strays = findStrays(journal, sighting);
  if (strays === null) return undefined;
  const isKnown = JSON.stringify(strays) === JSON.stringify(journal.drift?.strays ?? []);
  if (isKnown) return undefined;
  return strays.length === 0 ? null : { strays };
}

/** Whether a system is activated that the journal has as running: somebody has switched away from it. */
export function mayCorrect(
  { drift, running }: Pick<Journal, 'drift' | 'running'>,
  policy: Host['drift'],
  { isTrial }: Pick<Aim, 'isTrial'>,
): boolean {
  // While something is tried, what boots is another matter.
  return drift !== null && policy === 'correct' && !isTrial && running?.testedIn === undefined;
}

/** One sentence for each link that strayed, without its full stop. */
export function driftSentences({ strays }: Drift): readonly string[] {
  return strays.map(({ link, should, leads }) =>
    leads === null
      ? `${names[link]} is missing or no link any more; the agent had it lead to ${should}`
      : `${names[link]} was changed by hand: it leads to ${leads}; the agent had it lead to ${should}`,
  );
}

const names: Readonly<Record<LinkName, string>> = {
  profile: 'the system profile',
  'current-system': '/run/current-system',
  current: 'var/lib/autark/current',
};

/** What there is to say of a drift that stands; nothing when there is none. */
export function saidOfDrift(
  journal: Pick<Journal, 'corrections' | 'drift' | 'pace' | 'standing'>,
): readonly string[] {
  if (journal.drift === null) return [];
  return [...driftSentences(journal.drift), ...(isLeft(journal) ? [leftSentence] : [])];
}

/**
 * What a person does about it.
 * @param said of the drift, as above
 */
export function driftRemedy(said: readonly string[]): string {
  return said.includes(leftSentence) ? leftRemedy : usualRemedy;
}

const usualRemedy =
  'if it shall stay, bring it to the configuration branch and push; if not, the next revision that changes the system ' +
  'replaces it, or push `drift: correct`, and the host goes back by itself';
