import { sentence } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Snapshot } from '../fleet/read.ts';
import { trusted } from './trusted.ts';

/**
 * What is not well with the fleet as a whole. The hosts themselves say more: each refuses such a head with the same sentence.
 */
export function troubles({ authority, stale, findings }: Snapshot): readonly string[] {
  const stands = stale === null ? [] : [`${sentence(stale)}. ${standsIn}`];
  const others = findings.filter(({ cause }) => cause !== stale?.cause);
  const told = others.map(({ where, cause, remedy }) => `${cause} (${where ?? '-'}); ${remedy}`);
  const trust = authority.introduction.isFound ? [trusted(authority.introduction.id)] : [];
  return [...trust, ...stands, ...told].map(oneLine);
}

const standsIn = 'Until then the hosts are listed as an older fleet.yaml has them.';
