import type { Host } from '../fleet/fleet.ts';
import type { Address, Limit } from './forges.ts';

/** How often one host asks, in milliseconds; a heartbeat of `null` means never. */
export interface Rhythm {
  readonly interval: number;
  readonly heartbeat: number | null;
}

/** What a fleet asks of its Git server while nothing changes. */
export interface Load {
  readonly hosts: number;
  readonly fetchesPerSecond: number;
  readonly pushesPerSecond: number;
  readonly bytesPerDay: number;
}

/**
 * Bytes on the wire, both directions together, TCP's own left out: a poll that finds nothing; a record, with the looks
 * at the own branch before and after its push; and what a record costs more for each state branch that the server
 * lists meanwhile. Held to the truth by test/boundary/poll-bytes.test.ts.
 */
export const measured = {
  ssh: { poll: 8500, record: 28_000, branch: 216 },
  http: { poll: 3200, record: 12_000, branch: 216 },
  git: { poll: 660, record: 3600, branch: 216 },
  local: { poll: 0, record: 0, branch: 0 },
} as const satisfies Record<Address['transport'], Costs>;

interface Costs {
  readonly poll: number;
  readonly record: number;
  readonly branch: number;
}

/** How often a host looks at its own branch for each record that it pushes; each is a fetch. */
const looksEach = 2;

/** http requests that a fetch, or a push, is made of (gitprotocol-http(5)). */
const requestsEach = 2;

const day = 86_400_000;

/**
 * The model: each host fetches once an interval, and makes a record once a heartbeat and after every change; a record
 * is one push and two more fetches.
 * @param changes revisions a day that concern a host
 */
export function loadOf(rhythms: readonly Rhythm[], changes: number, transport: Address['transport']): Load {
  const hosts = rhythms.length;
  const perSecond = (each: number | null): number => (each === null ? 0 : 1000 / each);
  const sum = (of: (rhythm: Rhythm) => number): number => rhythms.reduce((all, each) => all + of(each), 0);
  const polls = sum(({ interval }) => perSecond(interval));
  // A record after a change puts off the heartbeat: as many as of both, at most.
  const pushesPerSecond = sum(({ heartbeat }) => perSecond(heartbeat)) + (hosts * changes * 1000) / day;
  const { poll, record, branch } = measured[transport];
  const bytesPerDay = ((polls * poll + pushesPerSecond * (record + branch * hosts)) * day) / 1000;
  return { hosts, fetchesPerSecond: polls + looksEach * pushesPerSecond, pushesPerSecond, bytesPerDay };
}

/** What polls: a host that is retired has stopped, and one that is paused has not. */
export function rhythmsOf(hosts: Iterable<Host>): readonly Rhythm[] {
  return [...hosts].filter(({ retired }) => !retired);
}

/** How many operations a second a limit allows over this transport. */
export function allowed({ count, seconds, of }: Limit, { transport }: Pick<Address, 'transport'>): number {
  const each = of === 'requests' && transport === 'http' ? requestsEach : 1;
  return count / seconds / each;
}

/**
 * Of so many fetches a second, those that are left for polls once records had theirs; a part at least, or no interval
 * would ever do.
 */
export function leftForPolls(perSecond: number, { pushesPerSecond }: Pick<Load, 'pushesPerSecond'>): number {
  return Math.max(perSecond - looksEach * pushesPerSecond, perSecond / 10);
}

/**
 * The shortest wait, in milliseconds, with which this many hosts stay within so many operations a second; rounded up
 * to what a person would write.
 */
export function fitting(hosts: number, perSecond: number): number {
  const least = (hosts / perSecond) * 1000;
  const step = [1000, 5000, 60_000, 300_000, 3_600_000].find((each) => least <= each * 120) ?? day;
  return Math.ceil(least / step - 1e-9) * step;
}
