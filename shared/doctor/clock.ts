import { clockProblem } from '../cycle/clock.ts';
import { notWell, unknown, well, type Checked } from './checked.ts';

/** What a clock can be held against; each is `null` when it is not known. Milliseconds since the epoch. */
export interface ClockFacts {
  readonly now: number;
  /** What an http server's `Date` said, and this clock in that moment. */
  readonly server: { readonly at: number; readonly here: number; readonly name: string } | null;
  /** When the newest revision that this host accepted was committed. */
  readonly committed: number | null;
  /** Whether the kernel's clock is kept right by a time service. */
  readonly isSynchronised: boolean | null;
}

/**
 * A `Date` has whole seconds and an answer takes a while; certificates and pauses do not mind a minute (RFC 9110,
 * section 6.6.1).
 */
const tolerance = 60_000;

/**
 * Held against whatever there is, the best first: the server's own clock, then the newest revision, which only shows
 * what is off by more than a day. A time service that says it is in step is believed last, for it may have no network.
 */
export function checkClock({ now, server, committed, isSynchronised }: ClockFacts): readonly Checked[] {
  const off = server === null ? 0 : server.here - server.at;
  const beside = committed === null ? undefined : clockProblem(now, committed / 1000);
  if (server !== null && Math.abs(off) > tolerance) {
    const direction = off < 0 ? 'behind' : 'ahead of';
    const cause = `the clock is ${inWords(Math.abs(off))} ${direction} that of ${server.name}`;
    return [notWell('clock', { kind: 'unexpected', cause, where: server.name, remedy })];
  }
  if (beside !== undefined) {
    const [cause = beside] = beside.split('; ');
    return [notWell('clock', { kind: 'unexpected', cause, where: 'the newest revision', remedy })];
  }
  if (isSynchronised === false) {
    const cause = 'no time service keeps this clock right';
    return [
      notWell('clock', {
        kind: 'unexpected',
        cause,
        where: 'timedatectl',
        remedy: 'run `timedatectl set-ntp true`, or start the time service of this machine',
      }),
    ];
  }
  if (server !== null) return [well('clock', `within a minute of that of ${server.name}`)];
  if (isSynchronised === true) return [well('clock', 'a time service keeps it right')];
  const reason =
    'only servers over http tell theirs, and timedatectl does not say whether a time service runs';
  return [
    unknown(
      'clock',
      committed === null ? reason : `not a day behind the newest revision; more cannot be told: ${reason}`,
    ),
  ];
}

const remedy =
  'set it (timedatectl set-ntp true): certificates, pauses and the times of this host’s records go by it';

function inWords(ms: number): string {
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
  ] as const;
  const [unit, size] = units.find(([, each]) => ms >= 2 * each) ?? (['minute', 60_000] as const);
  const count = Math.round(ms / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
