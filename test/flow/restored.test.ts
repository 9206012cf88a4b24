import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, keyAt, makeDeployed, newest } from '../rig/fleet.ts';
import { regraft } from '../rig/forged.ts';
import { keepState } from '../rig/lives.ts';
import { describeWith } from '../rig/needs.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

/** A machine, or only its journal, is put back to what it was (S9), and what it accepted since stays a floor (S2). */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
beforeEach(async () => {
  fleet = await makeDeployed('autark-restored');
  host = fleet.host;
});
afterEach(() => fleet.world.remove());

const branch = 'refs/heads/state/web1';
const commit = (motd: string): Promise<string> =>
  fleet.server.commit({ files: execHost('web1', motd), subject: motd });
const deploy = async (motd: string, before: readonly string[] = []) => {
  const revision = await commit(motd);
  return { revision, ran: await host.agent({ before }) };
};
const events = async (): Promise<string[]> =>
  (await host.records()).map(({ status }) => status.outcome.event);

/** One whole chain, with everything in it that was there before. */
async function wholeWith(before: readonly { readonly id: string }[], because: string): Promise<void> {
  const records = await host.records();
  expectChain(records, because);
  expect(
    records.slice(0, before.length).map(({ id }) => id),
    because,
  ).toEqual(before.map(({ id }) => id));
  expectAtRest(host, because);
}

test('a restored machine goes on from what the server has, and says so', async () => {
  const kept = keepState(host, 'kept');
  expect((await deploy('two')).ran.code).toBe(0);
  expect((await deploy('three')).ran.code).toBe(0);
  const before = await host.records();
  kept.restore();
  const { ran } = await deploy('four');
  expect(ran.code, ran.stderr).toBe(0);
  expect(host.motd()).toBe('four');
  expect(ran.stderr).toMatch(
    / warn warning web1 .*this machine was at record 1, and state\/web1 has records up to 3/,
  );
  await wholeWith(before, ran.stderr);
  expect((await events()).slice(before.length)).toEqual(['restored', 'deployed']);
  const [restored, deployed] = (await host.records()).slice(before.length);
  expect(restored?.subject).toBe('web1: restored; goes on from record 3');
  expect(restored?.status.reports).toEqual([
    expect.stringMatching(/^this machine was at record 1, .*records up to 3/),
  ]);
  expect(restored?.body).toMatch(/^ {2}this machine was at record 1, /m);
  expect(restored?.status.installation).toBe(before[0]?.status.installation);
  // The numbers of the life that it forgot are not given again.
  expect(deployed?.status.system?.generation).toBe(4);
  expect(deployed?.status).not.toHaveProperty('reports');
  const view = JSON.parse(await fleet.world.mustAutark(['status', '--json'])) as { hosts: unknown[] };
  expect(view.hosts).toEqual([expect.objectContaining({ state: 'converged', verified: true })]);
});

test('what it accepted in the life that it forgot stays a floor, also once the branch is hidden', async () => {
  const second = await commit('two');
  const first = await fleet.server.git(['rev-parse', `${second}^`]);
  const journal = host.path('var/lib/autark/journal.json');
  copyFileSync(journal, `${journal}.kept`);
  expect((await host.agent()).code).toBe(0);
  expect((await deploy('three')).ran.code).toBe(0);
  const third = await fleet.server.head();
  const running = host.running();
  copyFileSync(`${journal}.kept`, journal);

  // Authentic, above what the old journal accepted, and below what this host ran.
  await fleet.server.git(['update-ref', 'refs/heads/main', second]);
  const back = await host.agent();
  expect(back.code, back.stderr).toBe(20);
  expect(back.stderr).toContain(`git merge -s ours ${third}`);
  expect(host.running()).toEqual(running);
  const held = await newest(host);
  expect(held.status.outcome).toMatchObject({ event: 'held', code: 20, attempted: second });
  expect((await events()).filter((event) => event === 'restored')).toHaveLength(1);

  await fleet.server.git(['update-ref', '-d', branch]);
  await fleet.server.git(['update-ref', 'refs/heads/main', first]);
  expect((await host.agent()).code).toBe(20);
  const beside = await fleet.server.commit({ files: execHost('web1', 'beside'), parents: [second] });
  expect((await host.agent()).code).toBe(20);
  expect(host.running()).toEqual(running);

  const honest = await fleet.server.commit({
    ...{ files: execHost('web1', 'honest'), parents: [third, beside], subject: 'Merge' },
  });
  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(0);
  expect(host.motd()).toBe('honest');
  expect((await newest(host)).status.accepted).toBe(honest);
  expect(JSON.parse(host.journal())).toMatchObject({ accepted: honest, floors: [] });
  expectChain(await host.records(), ran.stderr);
  expectAtRest(host, ran.stderr);
});

test('what it made meanwhile is made again on top, as it was', async () => {
  const kept = keepState(host, 'kept');
  expect((await deploy('two')).ran.code).toBe(0);
  const before = await host.records();
  kept.restore();
  // It is not shown what it did, and cannot push what it does.
  await fleet.server.git(['update-ref', branch, before[1]?.id ?? '']);
  const hook = join(fleet.world.remote, 'hooks', 'update');
  mkdirSync(dirname(hook), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const offline = await deploy('three');
  expect(offline.ran.code).toBe(51);
  expect(host.motd()).toBe('three');
  expect(host.state('outbox')).toEqual([expect.stringMatching(/^00000002-/)]);
  rmSync(hook);
  await fleet.server.git(['update-ref', branch, before[2]?.id ?? '']);

  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(0);
  // The head is looked at once more, under floors that may have risen.
  expect((await host.agent()).code).toBe(0);
  await wholeWith(before, ran.stderr);
  const after = (await host.records()).slice(before.length);
  expect(after.map(({ status }) => status.outcome.event)).toEqual(['restored', 'deployed', 'unchanged']);
  const [restored, again] = after;
  expect(again?.subject).toMatch(/^web1: deployed [0-9a-f]{7} "three" as generation 2$/);
  expect(again?.parents).toEqual([restored?.id, offline.revision]);
  expect(Date.parse(again?.status.at ?? '')).toBeLessThan(Date.parse(restored?.status.at ?? ''));
});

describeWith(['faketime'], 'restored once more', () => {
  test('within a day it stops (12); a day later it may again', async () => {
    const kept = keepState(host, 'kept');
    expect((await deploy('two')).ran.code).toBe(0);
    kept.restore();
    expect((await deploy('three')).ran.code).toBe(0);
    const before = await host.records();
    expect(await events()).toContain('restored');

    kept.restore();
    const again = await deploy('four');
    expect(again.ran.code, again.ran.stderr).toBe(12);
    // Deployments do not wait for it.
    expect(host.motd()).toBe('four');
    expect(again.ran.stderr).toMatch(/restored within a day.*`autark enroll --resume`/);
    expect(await host.records()).toEqual(before);
    expect(host.state('outbox')).toHaveLength(1);
    expect((await host.agent()).code).toBe(12);

    kept.restore();
    const later = await deploy('five', ['faketime', '-f', '+25h']);
    expect(later.ran.code, later.ran.stderr).toBe(0);
    await wholeWith(before, later.ran.stderr);
    expect((await events()).filter((event) => event === 'restored')).toHaveLength(2);
  });
});

test('a chain of its key with a gap in it is not gone on from (12), nor does it raise a floor', async () => {
  const kept = keepState(host, 'kept');
  expect((await deploy('two')).ran.code).toBe(0);
  expect((await deploy('three')).ran.code).toBe(0);
  const records = await host.records();
  const forged = await regraft(fleet.server, keyAt(host.path('var/lib/autark/key')), {
    above: records[3]?.id ?? '',
    parent: records[1]?.id ?? '',
  });
  await fleet.server.git(['update-ref', branch, forged]);
  kept.restore();
  rmSync(host.path('var/lib/autark/git'), { recursive: true });
  const { ran } = await deploy('four');
  expect(ran.code, ran.stderr).toBe(12);
  expect(host.motd()).toBe('four');
  expect(ran.stderr).toMatch(/its number is 1, and the record that follows it has 3/);
  expect(ran.stderr).toContain(`(${records[1]?.id ?? ''})`);
  expect(JSON.parse(host.journal())).toMatchObject({ floors: [] });
  expect(await fleet.server.git(['rev-parse', branch])).toBe(forged);
});
