import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest, recordsOf } from '../rig/fleet.ts';
import { forge } from '../rig/forged.ts';
import { setInterval } from '../rig/interval.ts';
import { endAll } from '../rig/processes.ts';
import { pin, pinOf } from '../rig/replacing.ts';
import { run } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';
import { program } from '../rig/world.ts';

/** New hardware under an old name: the old machine ends, and the new one goes on from its records. */
let fleet: Fleet & { host: FleetHost };
let old: FleetHost;
let fresh: FleetHost & { readonly fingerprint: string };
beforeAll(async () => {
  fleet = await makeDeployed('autark-replace');
  old = fleet.host;
});
afterAll(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

const branch = 'refs/heads/state/web1';
const tipOf = (): Promise<string> => fleet.server.git(['rev-parse', branch]);
interface Shown {
  readonly hosts: readonly { readonly state: string; readonly verified: boolean; readonly cause: string }[];
}
async function status(): Promise<Shown['hosts'][number] & { readonly code: number | null }> {
  const { code, stdout } = await fleet.world.autark(['status', '--json']);
  const [host] = (JSON.parse(stdout) as Shown).hosts;
  return { code, ...(host ?? expect.unreachable()) };
}

test('a machine enrols under a name that another one has, and is told how it is approved; it is not that host (22)', async () => {
  const tip = await tipOf();
  const { world, introduction } = fleet;
  const root = world.root('web1-new');
  const there = ['--root', root, '--remote', world.remote, '--host', 'web1', '--introduction', introduction];
  const first = await run(process.execPath, [program, 'enroll', ...there], { env: world.env });
  expect(first.code, first.stderr).toBe(0);
  const [print = '', line] = first.stdout.split('\n');
  expect(print).toMatch(/^SHA256:\S+$/);
  expect(line).toBe(`autark approve web1 --replace --fingerprint ${print}`);
  fresh = await fleet.enrol('web1', 'web1-new');
  expect(fresh.fingerprint).toBe(print);
  const { code, stderr } = await fresh.agent();
  expect(code).toBe(22);
  expect(stderr).toContain('`autark approve web1 --replace`');
  expect(fresh.motd()).toBeNull();
  expect(await tipOf()).toBe(tip);
});

describe('once another machine is pinned', () => {
  let revision: string;
  let tip: string;
  beforeAll(async () => {
    tip = await tipOf();
    revision = await pin(fleet, 'web1', pinOf(fresh), execHost('web1', 'by the new one'));
  });

  test('the old one ends (13), says which revision did so and what to do, and leaves everything as it is', async () => {
    const before = { ...old.running(), generations: old.state('generations') };
    for (const time of ['first', 'second']) expect((await old.agent()).code, time).toBe(13);
    // Its agent may have been started by a reboot, at a head that came later.
    await fleet.server.commit({ subject: 'Something else' });
    const { code, stderr } = await old.agent();
    expect(code).toBe(13);
    expect(stderr).toContain(`revision ${revision} made another machine web1`);
    expect(stderr).toMatch(
      /switched off; if that was a mistake, `git revert [0-9a-f]{7}`, push, and start the agent/,
    );
    expect({ ...old.running(), generations: old.state('generations') }).toEqual(before);
    expect(await tipOf()).toBe(tip);
    expect(JSON.parse(old.journal())).toMatchObject({ approved: false, replaced: revision });
  });

  test('its daemon stops by itself', async () => {
    setInterval(old, '1h');
    const daemon = startDaemon(fleet.world, old);
    try {
      expect((await daemon.ended).code).toBe(13);
    } finally {
      await daemon.kill();
    }
    expect(await tipOf()).toBe(tip);
  });

  test('readers take what the branch still shows for the old one’s records, and wait for the new one', async () => {
    const shown = await status();
    expect(shown).toMatchObject({ state: 'building', verified: true });
    const { code, stdout } = await fleet.world.autark(['verify']);
    expect(code, stdout).toBe(0);
    const log = await fleet.world.autark(['log', 'web1', '--json']);
    const { entries } = JSON.parse(log.stdout) as { entries: { verified: boolean; commit: string }[] };
    expect(entries.map(({ verified }) => verified)).toEqual([true, true]);
  });

  test('the new one deploys, and its first record follows its own genesis, the old one’s tip, and the revision', async () => {
    const head = await fleet.server.head();
    const before = await recordsOf(fleet.server, 'web1');
    const ran = await fresh.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect(fresh.motd()).toBe('by the new one');
    expectAtRest(fresh, ran.stderr);
    const records = await fresh.records();
    const { genesis } = pinOf(fresh);
    expect(records.map(({ id }) => id)).toEqual([genesis, await tipOf()]);
    const record = await newest(fresh);
    expect(record.parents).toEqual([genesis, tip, head]);
    expect(record.trailers).toMatchObject({
      'Autark-Replaces': tip,
      'Autark-Seq': '1',
      'Autark-Genesis': genesis,
    });
    // Nothing about it is odd.
    expect(record.status.reports).toBeUndefined();
    expect(ran.stderr).not.toMatch(/did not sign|warn/i);
    // Plain Git has the whole history.
    for (const { id } of before) await fleet.server.git(['merge-base', '--is-ancestor', id, branch]);
    expect(await fleet.server.git(['for-each-ref', 'refs/heads/enroll/'])).toBe('');
  });

  test('its later records are like any other', async () => {
    await fleet.server.commit({ files: execHost('web1', 'and on'), subject: 'On' });
    expect((await fresh.agent()).code).toBe(0);
    const record = await newest(fresh);
    expect(record.parents).toHaveLength(2);
    expect(record.trailers).not.toHaveProperty('Autark-Replaces');
  });

  test('readers follow it down to the genesis of the first machine', async () => {
    expect(await status()).toMatchObject({ code: 0, state: 'converged', verified: true });
    const verified = await fleet.world.autark(['verify']);
    expect(verified.code, verified.stdout).toBe(0);
    expect(verified.stdout).toContain('5 records of 1 host good');
    const { stdout } = await fleet.world.autark(['log', 'web1', '--json']);
    const { entries } = JSON.parse(stdout) as {
      entries: { seq: number; event: string; verified: boolean }[];
    };
    expect(entries.map(({ seq, event, verified: good }) => [seq, event, good])).toEqual([
      [2, 'deployed', true],
      [1, 'deployed', true],
      [0, 'enrolled', true],
      [1, 'deployed', true],
      [0, 'enrolled', true],
    ]);
  });

  test('a record that the old one writes nevertheless is refused by readers, overwritten and reported', async () => {
    const own = await tipOf();
    const forged = await forge(fleet.server, old, {});
    expect(await status()).toMatchObject({ state: 'failed', verified: false });
    expect((await fleet.world.autark(['verify'])).code).toBe(20);
    await fleet.server.commit({ files: execHost('web1', 'still the new one'), subject: 'Still' });
    const ran = await fresh.agent();
    expect(ran.code, ran.stderr).toBe(0);
    const record = await newest(fresh);
    expect(record.parents[0]).toBe(own);
    expect(record.status.reports).toEqual([
      expect.stringContaining(`held ${forged}, which this host did not sign`),
    ]);
    expect((await fleet.world.autark(['verify'])).code).toBe(0);
  });

  test('pinned again, the old one goes on by itself, and the new one ends', async () => {
    await pin(fleet, 'web1', pinOf(old), execHost('web1', 'back'));
    const ran = await old.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect(old.motd()).toBe('back');
    expect(JSON.parse(old.journal())).toMatchObject({ approved: true, replaced: null });
    expect((await fresh.agent()).code).toBe(13);
    expect(fresh.motd()).toBe('still the new one');
    expect(await tipOf()).toBe((await newest(old)).id);
    expect((await fleet.world.autark(['verify'])).code).toBe(0);
  });
});
