import { writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, makeDeployed } from '../rig/fleet.ts';
import { endAll } from '../rig/processes.ts';
import { reboots } from '../rig/reboots.ts';
import { type Scenario, stopEverywhere, takeSnapshot } from '../rig/stops.ts';

const made: Fleet[] = [];
afterAll(async () => {
  for (const { world } of made) {
    endAll(world.dir);
    await world.remove();
  }
});

const yaml = ['activate: boot', 'health: [ { command: hosts/web1/check, retries: 0 } ]'];
const check = { executable: '#!/bin/sh\ntest ! -e "$AUTARK_ROOT/ill"\n' };

interface Outcome extends Pick<Scenario, 'may' | 'code' | 'motd' | 'event'> {
  readonly isIll: boolean;
  /** Of the journal, once all is over. */
  readonly known: object;
}

/** A host that has booted into a generation which is not known to be good: stopped everywhere, from the same beginning. */
async function stopBooted({ isIll, known, ...outcome }: Outcome): Promise<number> {
  const fleet = await makeDeployed('autark-crash');
  made.push(fleet);
  const { host, server, world } = fleet;
  const files = {
    ...execHost('web1', 'two'),
    ...{ 'hosts/web1/check': check, 'fleet.yaml': fleet.fleetYaml('web1', yaml) },
  };
  const revision = await server.commit({ files, subject: 'Say two from the next boot on' });
  expect((await host.agent()).code).toBe(0);
  if (isIll) writeFileSync(host.path('ill'), '');
  reboots(host);
  const scenario = {
    ...{ fleet, host, revision, ...outcome },
    also: (because: string) => {
      expect(JSON.parse(host.journal()), because).toMatchObject(known);
    },
  };
  const snapshot = takeSnapshot(world, host);
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const step = 4;
  const first = 1 + Math.floor(seeded(seed)() * step);
  const before = await stopEverywhere(scenario, snapshot, 'before', { first, step });
  return before + (await stopEverywhere(scenario, snapshot, 'after', { first: 1 + (first % step), step }));
}

test('a host that has booted into a generation which is well, stopped at any effect, says so once', async () => {
  const stops = await stopBooted({
    ...{ isIll: false, may: ['two'], code: 0, motd: 'two', event: 'rebooted' },
    known: { lastGood: 2, unproved: null, rebootRequired: null, failed: null },
  });
  expect(stops).toBeGreaterThan(4);
});

test('one that has booted into a generation which is not well, stopped at any effect, goes back once', async () => {
  const stops = await stopBooted({
    ...{ isIll: true, may: ['two', 'hello'], code: 40, motd: 'hello', event: 'rolled-back' },
    known: { lastGood: 1, unproved: null, failed: { attempts: 1, code: 40 } },
  });
  expect(stops).toBeGreaterThan(4);
});
