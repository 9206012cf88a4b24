import { cpSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Fleet, FleetHost } from './fleet.ts';
import { allGone } from './processes.ts';
import { run, type RanProgram } from './run.ts';
import { currentGeneration, expectAtRest, expectChain } from './sound.ts';
import { program, type World } from './world.ts';

const stopper = join(dirname(program), '../test/rig/stopped-at.js');

/** Runs a verb of a host until its Nth effect, and kills it there: `agent`, `rollback` or `new-key FILE`. */
export function stopAt(
  { root }: Pick<FleetHost, 'root'>,
  verb: readonly string[],
  { when, at }: Stop,
  env: Readonly<Record<string, string>>,
): Promise<RanProgram> {
  return run(process.execPath, [stopper, root, String(at), when, ...verb], { env });
}

/** What a host and its server were, to be put back as often as wanted: at the same place, for paths are absolute. */
export interface Snapshot {
  restore(): void;
}

export function takeSnapshot({ dir, remote }: World, host: FleetHost): Snapshot {
  const places = [host.root, remote];
  const kept = (index: number): string => join(dir, `snapshot-${index}`);
  places.forEach((place, index) => {
    rmSync(kept(index), { recursive: true, force: true });
    cpSync(place, kept(index), { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  });
  return {
    restore() {
      places.forEach((place, index) => {
        rmSync(place, { recursive: true, force: true });
        cpSync(kept(index), place, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      });
    },
  };
}

/** One cycle that is cut off somewhere, and how it must have ended once the next one is over. */
export interface Scenario {
  readonly fleet: Fleet;
  readonly host: FleetHost;
  /** What the cycle is about. */
  readonly revision: string;
  /** What may be seen at the instant of the stop; `null` for nothing yet. */
  readonly may: readonly (string | null)[];
  /** What the next cycle exits with, shows, and has recorded of the revision since then, exactly once. */
  readonly code: number;
  readonly motd: string | null;
  readonly event: string;
  /** On top of the world's environment, for the cycle that is cut off. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whatever else must hold. */
  readonly also?: (because: string) => Promise<void> | void;
}

export interface Stop {
  readonly when: 'before' | 'after';
  /** Counted from 1. */
  readonly at: number;
}

/**
 * Stops the cycle as a pulled plug would and lets one further cycle mend it (P2). False when the cycle had fewer
 * effects and ended by itself.
 */
export async function stopAndMend(scenario: Scenario, { when, at }: Stop): Promise<boolean> {
  const { fleet, host, may, code, motd, event, revision, also } = scenario;
  const env = { ...fleet.world.env, ...scenario.env };
  const before = await host.records();
  const stopped = await stopAt(host, ['agent'], { when, at }, env);
  const effects = stopped.stdout.trimEnd().split('\n');
  const because = `stopped ${when} effect ${at}, ${effects.at(-1) ?? ''}\n${stopped.stderr}`;
  const isCutOff = stopped.code === null;
  expect(isCutOff, because).toBe(effects.length >= at);
  if (!isCutOff) expect(stopped.code, because).toBe(code);

  expect(may, because).toContain(host.motd());
  if (host.motd() !== null) expect(may, because).toContain(currentGeneration(host).motd);

  const mended = await host.agent();
  const told = `${because}\n--- then:\n${mended.stderr}`;
  expect(mended.code, told).toBe(code);
  expect(host.motd(), told).toBe(motd);
  if (motd !== null) expect(currentGeneration(host).motd, told).toBe(motd);
  expectAtRest(host, told);
  const records = await host.records();
  expectChain(records, told);
  expect(records.slice(0, before.length), told).toEqual(before);
  const about = records
    .slice(before.length)
    .filter(({ status: { outcome, system } }) => (outcome.attempted ?? system?.revision) === revision);
  expect(
    about.map(({ status }) => status.outcome.event),
    told,
  ).toEqual([event]);
  expect(records.at(-1)?.id, told).toBe(about[0]?.id);
  await also?.(told);
  await allGone(host.root);
  return isCutOff;
}

/** Every stop from the first effect to the last one, every `step`th from `first` on, each from the same beginning. */
export async function stopEverywhere(
  scenario: Scenario,
  snapshot: Snapshot,
  when: Stop['when'],
  { first = 1, step = 1 } = {},
): Promise<number> {
  let stops = 0;
  for (let at = first; ; at += step) {
    snapshot.restore();
    if (!(await stopAndMend(scenario, { when, at }))) return stops;
    stops += 1;
  }
}
