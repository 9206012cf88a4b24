import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import type { FleetHost, StateCommit } from './fleet.ts';

interface GenerationFile {
  readonly number: number;
  readonly path: string;
  /** The link that keeps a path of the Nix store. */
  readonly root?: string;
  readonly revision: string;
}

/** What `current` names, read as a person would: link, `generation.json`, system. */
export function currentGeneration(host: FleetHost): GenerationFile & { readonly motd: string } {
  const state = host.path('var/lib/autark');
  const link = readlinkSync(join(state, 'current'));
  expect(link).toMatch(/^generations\/\d+$/);
  const generation = JSON.parse(readFileSync(join(state, link, 'generation.json'), 'utf8')) as GenerationFile;
  expect(String(generation.number)).toBe(basename(link));
  expect(statSync(join(generation.path, 'bin/switch-to-configuration')).mode & 0o111).not.toBe(0);
  return { ...generation, motd: readFileSync(join(generation.path, 'etc/motd'), 'utf8').trimEnd() };
}

/**
 * Nothing is half done and nothing lies about (P2, P6): an idle journal, an empty outbox, no locks, no written tree,
 * and no system that no generation names.
 * @param because said when it fails; `daemon` when one still runs and holds its lock
 */
export function expectAtRest(host: FleetHost, because: string, { daemon = false } = {}): void {
  const state = host.path('var/lib/autark');
  const journal = JSON.parse(host.journal()) as Record<string, unknown>;
  expect(journal['phase'], because).toEqual({ at: 'idle' });
  expect(journal['delivered'], because).toBe(journal['tip']);
  expect(host.state('outbox'), because).toEqual([]);
  const named = host.state('generations').map((number) => {
    const file = join(state, 'generations', number, 'generation.json');
    const { path, root } = JSON.parse(readFileSync(file, 'utf8')) as GenerationFile;
    return basename(root ?? path);
  });
  expect(host.state('systems'), because).toEqual([...new Set(named)].sort());
  expect(existsSync(join(state, 'tree')), because).toBe(false);
  // The cycle's lock may be a dead one's: a cycle without news never takes it, and whoever does knows it for dead.
  const locks = readdirSync(state).filter((name) => name.includes('.lock') && name !== 'cycle.lock');
  expect(locks, because).toEqual(daemon ? ['daemon.lock'] : []);
}

/** The records hang together: numbers one apart down to the genesis, each the first parent of the next (S8). */
export function expectChain(records: readonly StateCommit[], because: string): void {
  expect(
    records.map(({ status }) => status.seq),
    because,
  ).toEqual(records.map((_record, index) => index));
  expect(
    records.map(({ parents }) => parents[0]),
    because,
  ).toEqual([undefined, ...records.slice(0, -1).map(({ id }) => id)]);
  expect(records[0]?.status.outcome.event, because).toBe('enrolled');
}
