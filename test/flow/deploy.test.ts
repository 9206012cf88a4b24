import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildScript } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let first: string;

/** Builds that leave a trace, so that a build which should not have been is seen. */
const counting = {
  executable: buildScript.replace('\n', '\necho "$AUTARK_REVISION" >>"$AUTARK_ROOT/builds"\n'),
};
const builds = (): readonly string[] => {
  const file = host.path('builds');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
};

beforeAll(async () => {
  fleet = await makeDeployed();
  host = fleet.host;
  first = await fleet.server.commit({ files: { 'hosts/web1/build': counting, 'hosts/web1/motd': 'one\n' } });
  expect((await host.agent()).code).toBe(0);
});
afterAll(() => fleet.world.remove());

describe('a cycle', () => {
  test('deploys what is new', () => {
    expect(host.running()).toEqual({ motd: 'one', activations: ['switch hello', 'switch one'] });
    expect(builds()).toEqual([first]);
  });

  test('with nothing new commits nothing, builds nothing, and leaves its journal alone', async () => {
    const [tip, journal, outbox] = [await newest(host), host.journal(), host.state('outbox')];
    const ran = await host.agent();
    expect(ran).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect([await newest(host), host.journal(), host.state('outbox')]).toEqual([tip, journal, outbox]);
    expect(builds()).toEqual([first]);
  });

  test('says what a build may know, and nothing of the agent’s own environment', async () => {
    const show = { executable: buildScript.replace('\n', '\nenv | sort >"$out/env"\npwd >>"$out/env"\n') };
    const revision = await fleet.server.commit({ files: { 'hosts/web1/build': show } });
    expect((await host.agent({ env: { SECRET_OF_ROOT: 'x' } })).code).toBe(0);
    const path = (await newest(host)).status.system?.path ?? '';
    expect(readFileSync(`${path}/env`, 'utf8').split('\n').slice(0, -2)).toEqual([
      'AUTARK_GROUPS=',
      'AUTARK_HOST=web1',
      `AUTARK_REVISION=${revision}`,
      `AUTARK_ROOT=${host.root}`,
      expect.stringMatching(/^PATH=(\/[\w/-]+:)*\/bin$/),
      // sh sets it anew in its own environment.
      expect.stringMatching(/^PWD=/),
      `out=${path}`,
    ]);
    expect(readFileSync(`${path}/env`, 'utf8')).toMatch(/var\/lib\/autark\/tree\n$/);
    expect(existsSync(host.path('var/lib/autark/tree'))).toBe(false);
  });

  test('that finds a revision which does not concern the host records it and activates nothing', async () => {
    await fleet.server.commit({ files: { 'hosts/web1/build': counting } });
    expect((await host.agent()).code).toBe(0);
    const [before, systems, { status }] = [host.running(), host.state('systems'), await newest(host)];
    const revision = await fleet.server.commit({
      files: { 'hosts/other/motd': 'x\n' },
      subject: 'Other host',
    });
    expect((await host.agent()).code).toBe(0);
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'unchanged', code: 0 });
    expect(record.parents[1]).toBe(revision);
    expect(record.status.system).toEqual({ ...status.system, revision });
    expect(host.running()).toEqual(before);
    expect(host.state('systems')).toEqual(systems);
  });

  test('takes several commits at once as one revision', async () => {
    await fleet.server.commit({ files: { 'hosts/web1/motd': 'two\n' } });
    const last = await fleet.server.commit({ files: { 'hosts/web1/motd': 'three\n' } });
    const before = await newest(host);
    expect((await host.agent()).code).toBe(0);
    expect(host.activations().slice(-1)).toEqual(['switch three']);
    const record = await newest(host);
    expect(record.parents).toEqual([before.id, last]);
  });

  test('deploys a revert to an older tree like any change', async () => {
    const revision = await fleet.server.commit({ tree: first, subject: 'Revert it all' });
    const before = host.activations();
    expect((await host.agent()).code).toBe(0);
    expect(host.running()).toEqual({ motd: 'one', activations: [...before, 'switch one'] });
    const record = await newest(host);
    expect(record.status.outcome.event).toBe('deployed');
    expect(record.status.system?.revision).toBe(revision);
  });

  test('repeats the code of what stands, without another build or record', async () => {
    await fleet.server.commit({
      files: { 'hosts/web1/build': { executable: '#!/bin/sh\necho x >>"$AUTARK_ROOT/builds"\nexit 1\n' } },
    });
    expect((await host.agent()).code).toBe(30);
    const [tip, built] = [await newest(host), builds()];
    for (const look of ['second', 'third']) expect([look, (await host.agent()).code]).toEqual([look, 30]);
    expect(await newest(host)).toEqual(tip);
    expect(builds()).toEqual(built);
  });

  test('shows in status and log what plain git shows', async () => {
    const tip = await newest(host);
    const status = await fleet.world.autark(['status', '--json']);
    // 1 failed, and 2 behind.
    expect(status.code).toBe(3);
    expect(JSON.parse(status.stdout)).toMatchObject({
      format: 1,
      head: await fleet.server.head(),
      hosts: [
        { host: 'web1', state: 'failed', code: 30, revision: tip.status.system?.revision, verified: true },
      ],
    });
    const log = JSON.parse(await fleet.world.mustAutark(['log', 'web1', '--json'])) as {
      entries: { commit: string }[];
    };
    const ids = (await host.records()).map(({ id }) => id).reverse();
    expect(log.entries.map(({ commit }) => commit)).toEqual(ids);
  });
});
