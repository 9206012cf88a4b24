import type { Failure } from '../failure.ts';
import { formatDuration } from '../fleet/duration.ts';
import { forgeAt, type Address, type Forge, type Limit } from '../scale/forges.ts';
import { allowed, fitting, leftForPolls, loadOf, type Load, type Rhythm } from '../scale/load.ts';
import { notWell, well, type Checked } from './checked.ts';

/** Whether the whole fleet asks more of its server than that publishes to be allowed. */
export function checkLoad(rhythms: readonly Rhythm[], fetched: Address, pushed: Address): readonly Checked[] {
  const load = loadOf(rhythms, 0, fetched.transport);
  if (fetched.server === null) return [well('load', 'the repository is on this machine, which is watched')];
  const found = [
    ...over(load, 'fetches', fetched, forgeAt(fetched)),
    ...over(load, 'pushes', pushed, forgeAt(pushed)),
  ];
  if (found.length > 0) return found.map((each) => notWell('load', each));
  return [well('load', `${asked(load)}; ${allowance(forgeAt(fetched), fetched)}`)];
}

const kinds = {
  fetches: { rate: 'fetchesPerSecond', key: 'interval' },
  pushes: { rate: 'pushesPerSecond', key: 'heartbeat' },
} as const;

function over(
  load: Load,
  what: 'fetches' | 'pushes',
  address: Address,
  forge: Forge | null,
): readonly Failure[] {
  const limit = forge?.[what] ?? null;
  const { rate, key } = kinds[what];
  if (forge === null || limit === null) return [];
  // Sums of many small fractions are not exact.
  if (load[rate] <= allowed(limit, address) * (1 + 1e-9)) return [];
  const most = allowed(limit, address);
  const fit = formatDuration(fitting(load.hosts, what === 'fetches' ? leftForPolls(most, load) : most));
  const more = limit.isEnforced ? 'more is refused' : 'it advises against more';
  return [
    {
      kind: 'unexpected',
      cause: `the ${load.hosts} hosts make ${often(load[rate])} ${what} a second; ${forge.name} publishes ${written(limit)}, and ${more}`,
      where: forge.page,
      remedy: `set \`${key}: ${fit}\` or longer in the defaults of fleet.yaml, or take a server of your own (docs/scale.md)`,
    },
  ];
}

function asked({ hosts, fetchesPerSecond, bytesPerDay }: Load): string {
  const megabytes = Math.ceil(bytesPerDay / 1e6);
  return `${hosts} host${hosts === 1 ? '' : 's'} make ${often(fetchesPerSecond)} fetches a second, about ${megabytes} MB a day`;
}

function allowance(forge: Forge | null, { server }: Address): string {
  if (forge === null) return `what ${server ?? 'the server'} allows, its owner knows`;
  return forge.fetches === null
    ? `${forge.name} publishes no limit`
    : `${forge.name} publishes ${written(forge.fetches)}`;
}

function written({ count, seconds, of, whose }: Limit): string {
  const span = new Map([
    [1, 'second'],
    [60, 'minute'],
    [3600, 'hour'],
  ]).get(seconds);
  return `${count} ${of} ${span === undefined ? `in ${seconds} s` : `a ${span}`} for ${whose}`;
}

function often(perSecond: number): string {
  return perSecond >= 10 ? perSecond.toFixed(0) : String(Number(perSecond.toPrecision(2)));
}
