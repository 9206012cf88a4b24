import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { type Fleet, makeDeployed, newest } from '../rig/fleet.ts';

const ref = 'refs/heads/testing/web1';

const fleet = await makeDeployed();
const { host } = fleet;
afterAll(() => fleet.world.remove());
/** Each test begins with a host that runs what main says, and no branch for testing. */
beforeEach(async () => {
  await remove();
  await fleet.server.commit({
    files: { ...execHost('web1', 'main'), 'fleet.yaml': fleet.fleetYaml('web1') },
  });
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  expect(host.motd()).toBe('main');
});

async function remove(): Promise<void> {
  if ((await fleet.server.git(['for-each-ref', ref])) !== '')
    await fleet.server.git(['update-ref', '-d', ref]);
}
/** Offers a revision on top of main, or of others. */
const offer = (motd: string, more: Partial<Parameters<Fleet['server']['commit']>[0]> = {}) =>
  fleet.server.commit({ files: execHost('web1', motd), subject: `Try ${motd}`, ref, ...more });
const bootDefault = (): string => readlinkSync(host.path('var/lib/autark/current'));

describe('a revision on testing/<host>', () => {
  test('is activated with `test`, is never the boot default, and moves nothing that main moves', async () => {
    const [before, main, current] = [await newest(host), await fleet.server.head(), bootDefault()];
    const revision = await offer('tried');
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('tried');
    expect(host.activations().slice(-1)).toEqual(['test tried']);
    expect(bootDefault()).toBe(current);
    const record = await newest(host);
    expect(record.parents).toEqual([before.id]);
    expect(record.trailers).toMatchObject({ 'Autark-Event': 'testing', 'Autark-Revision': revision });
    expect(record.status).toMatchObject({
      accepted: main,
      head: main,
      system: { revision, testing: true },
      outcome: { event: 'testing', code: 0 },
    });
    const journal = JSON.parse(host.journal()) as { accepted: string };
    expect(journal.accepted).toBe(main);
    // Once is enough.
    const again = await host.agent();
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect((await newest(host)).id).toBe(record.id);
    const status = await fleet.world.autark(['status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ hosts: [{ state: 'testing', revision }] });
  });

  test('ends when it is deleted: the host deploys main again', async () => {
    await offer('tried');
    await host.agent();
    const main = await fleet.server.head();
    await remove();
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('main');
    expect(host.activations().slice(-1)).toEqual(['switch main']);
    expect((await newest(host)).status).toMatchObject({
      system: { revision: main },
      outcome: { event: 'deployed' },
    });
    expect((await newest(host)).status.system).not.toHaveProperty('testing');
  });

  test('ends when main leaves it behind, and is not looked at again', async () => {
    await offer('tried');
    await host.agent();
    await fleet.server.commit({ files: execHost('web1', 'other') });
    const { code, stderr } = await host.agent();
    expect(code).toBe(0);
    expect(host.activations().slice(-1)).toEqual(['switch other']);
    expect(stderr).toContain(
      'testing/web1 does not descend from the head of main (any more): it is not tried',
    );
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
  });

  test('merged by main becomes the boot default, by a switch of its own', async () => {
    const revision = await offer('good');
    await host.agent();
    await fleet.server.git(['update-ref', 'refs/heads/main', revision]);
    expect((await host.agent()).code).toBe(0);
    expect(host.activations().slice(-2)).toEqual(['test good', 'switch good']);
    expect((await newest(host)).parents[1]).toBe(revision);
    expect(bootDefault()).toBe(`generations/${(await newest(host)).status.system?.generation ?? 0}`);
  });

  test('that moves is tried anew, with nothing in between', async () => {
    await offer('first');
    await host.agent();
    await offer('second');
    expect((await host.agent()).code).toBe(0);
    expect(host.activations().slice(-2)).toEqual(['test first', 'test second']);
  });

  test('whose activation fails goes back to what ran, and main is none the worse', async () => {
    const [current, main] = [bootDefault(), await fleet.server.head()];
    const failing = {
      executable: buildScript.replace(
        'set -eu\nsystem=',
        'set -eu\nif [ "$1" = test ]; then exit 3; fi\nsystem=',
      ),
    };
    const revision = await offer('broken', {
      files: { ...execHost('web1', 'broken'), 'hosts/web1/build': failing },
    });
    const { code } = await host.agent();
    expect(code).toBe(40);
    expect(host.motd()).toBe('main');
    expect(bootDefault()).toBe(current);
    expect((await newest(host)).status).toMatchObject({
      head: main,
      system: { revision: main },
      outcome: { event: 'rolled-back', code: 40, attempted: revision },
    });
    expect((await host.agent()).code).toBe(40);
    await remove();
    expect((await host.agent()).code).toBe(0);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'unchanged', code: 0 });
  });

  test('that main leaves behind by a revision that fails is left all the same: what is gone back to is main', async () => {
    const { generation } = (await newest(host)).status.system ?? {};
    await offer('tried');
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('tried');
    const failing = buildScript.replace('set -eu\nsystem=', 'set -eu\n[ "$1" != switch ] || exit 3\nsystem=');
    const files = { ...execHost('web1', 'broken'), 'hosts/web1/build': { executable: failing } };
    const revision = await fleet.server.commit({ files });
    expect((await host.agent()).code).toBe(40);
    expect(host.motd()).toBe('main');
    const { subject, status } = await newest(host);
    expect(status).toMatchObject({
      system: { generation },
      outcome: { event: 'rolled-back', code: 40, attempted: revision },
    });
    expect(status.system).not.toHaveProperty('testing');
    expect(subject).toContain(`went back to generation ${generation ?? 0} from`);
    // And that is no switch by hand.
    expect((await host.agent()).code).toBe(40);
    expect((await newest(host)).status.outcome.event).toBe('rolled-back');
  });

  test('whose build fails is recorded, and a good one on top of a broken main is tried', async () => {
    const broken = { 'hosts/web1/build': { executable: '#!/bin/sh\nexit 1\n' } };
    const revision = await offer('x', { files: broken });
    expect((await host.agent()).code).toBe(30);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'failed', attempted: revision });
    await remove();
    await fleet.server.commit({ files: broken });
    expect((await host.agent()).code).toBe(30);
    await offer('mends');
    expect((await host.agent()).code).toBe(30);
    expect(host.motd()).toBe('mends');
  });

  test('that is not authentic is refused with its cause, and main is deployed all the same', async () => {
    const main = await fleet.server.commit({ files: execHost('web1', 'newer') });
    const revision = await offer('forged', { key: null, parents: [main] });
    const { code, stderr } = await host.agent();
    expect(code).toBe(20);
    expect(host.motd()).toBe('newer');
    expect(host.activations()).not.toContain('test forged');
    expect(stderr).toContain(revision);
    expect((await newest(host)).status.outcome).toMatchObject({
      event: 'held',
      code: 20,
      attempted: revision,
    });
  });

  test('that a paused host is offered waits', async () => {
    const yaml = fleet.fleetYaml('web1', ['paused: { reason: moving house }']);
    await fleet.server.commit({ files: { 'fleet.yaml': yaml } });
    await offer('tried');
    expect((await host.agent()).code).toBe(10);
    expect(host.motd()).toBe('main');
  });

  test('of another host is none of this one’s business', async () => {
    await fleet.server.commit({ files: execHost('web1', 'web10'), ref: 'refs/heads/testing/web10' });
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
    await fleet.server.git(['update-ref', '-d', 'refs/heads/testing/web10']);
  });

  test('is tried again after a reboot, which ended it', async () => {
    await offer('tried');
    await host.agent();
    const file = host.path('var/lib/autark/journal.json');
    const journal = JSON.parse(readFileSync(file, 'utf8')) as { running: { testedIn: string } };
    expect(journal.running.testedIn).toMatch(/^[0-9a-f-]{36}$/);
    journal.running.testedIn = '00000000-0000-4000-8000-000000000000';
    writeFileSync(file, JSON.stringify(journal));
    expect((await host.agent()).code).toBe(0);
    expect(host.activations().slice(-2)).toEqual(['test tried', 'test tried']);
    // From the boot default: a failure would have gone back to that.
    await remove();
    expect((await host.agent()).code).toBe(0);
    expect(host.activations().slice(-1)).toEqual(['switch main']);
  });
});
