import { readlinkSync, renameSync, rmSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { currentLink, relink } from '../rig/links.ts';

const fleet = await makeDeployed('autark-drift');
const { host, server, world } = fleet;
afterAll(() => world.remove());

const generation = async (): Promise<number> => (await newest(host)).status.system?.generation ?? 0;
const events = async (): Promise<readonly string[]> =>
  (await host.records()).map(({ status }) => status.outcome.event);
const fleetStatus = async () => {
  const { stdout } = await world.autark(['status', '--json']);
  return (JSON.parse(stdout) as { hosts: { state: string; cause: string | null }[] }).hosts[0];
};
let count = 0;

/** Each test begins with a host that runs what main says, and has an earlier generation. */
beforeEach(async () => {
  count += 1;
  const files = { ...execHost('web1', `main ${count}`), 'fleet.yaml': fleet.fleetYaml('web1') };
  await server.commit({ files });
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  expect((await newest(host)).status.outcome.event).toBe('deployed');
});

describe('a current generation that was changed by hand', () => {
  test('is recorded once, shown by status with what to do, and left as it is', async () => {
    const [before, own] = [await newest(host), await generation()];
    relink(host, currentLink, `generations/${own - 1}`);
    const running = host.running();
    const { code, stderr } = await host.agent();
    expect(code).toBe(0);
    const said = `var/lib/autark/current was changed by hand: it leads to generations/${own - 1}; the agent had it lead to generations/${own}`;
    expect(stderr).toContain(said);
    const record = await newest(host);
    expect(record.parents).toEqual([before.id]);
    expect(record.trailers).toMatchObject({ 'Autark-Event': 'drifted', 'Autark-Generation': String(own) });
    expect(record.status).toMatchObject({
      drift: [said],
      outcome: { event: 'drifted', code: 0, message: said },
    });
    expect(record.body).toContain('push `drift: correct`');
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own - 1}`);
    expect(host.running()).toEqual(running);
    const shown = await fleetStatus();
    expect(shown).toMatchObject({ state: 'drifted' });
    expect(shown?.cause).toContain(said);
    // Once is enough.
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
    expect((await newest(host)).id).toBe(record.id);
  });

  test('is recorded anew when it changes again, and once more when somebody undoes it', async () => {
    const own = await generation();
    relink(host, currentLink, `generations/${own - 1}`);
    await host.agent();
    rmSync(host.path(currentLink));
    await host.agent();
    expect((await newest(host)).status.outcome.message).toContain('is missing or no link any more');
    relink(host, currentLink, `generations/${own}`);
    expect((await host.agent()).code).toBe(0);
    expect((await events()).slice(-4)).toEqual(['deployed', 'drifted', 'drifted', 'drifted']);
    const record = await newest(host);
    expect(record.subject).toBe('web1: drifted no more');
    expect(record.status).not.toHaveProperty('drift');
    expect(await fleetStatus()).toMatchObject({ state: 'converged', cause: null });
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
    expect((await newest(host)).id).toBe(record.id);
  });

  test('is found and recorded without the server, which hears of it later', async () => {
    const [before, own] = [await newest(host), await generation()];
    const away = `${world.remote}.away`;
    relink(host, currentLink, `generations/${own - 1}`);
    renameSync(world.remote, away);
    expect((await host.agent()).code).toBe(50);
    renameSync(away, world.remote);
    expect((await host.agent()).code).toBe(0);
    expect((await newest(host)).parents).toEqual([before.id]);
    expect((await newest(host)).status.outcome.event).toBe('drifted');
  });

  test('is over with the next revision, which deploys as ever', async () => {
    relink(host, currentLink, `generations/${(await generation()) - 1}`);
    await host.agent();
    await server.commit({ files: execHost('web1', 'next') });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('next');
    const record = await newest(host);
    expect(record.status.outcome.event).toBe('deployed');
    expect(record.status).not.toHaveProperty('drift');
    expect(await fleetStatus()).toMatchObject({ state: 'converged' });
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
    expect((await newest(host)).id).toBe(record.id);
  });

  test('is over with a revision that comes in the same cycle; both are in the diary', async () => {
    relink(host, currentLink, `generations/${(await generation()) - 1}`);
    await server.commit({ files: execHost('web1', 'at once') });
    expect((await host.agent()).code).toBe(0);
    expect((await events()).slice(-2)).toEqual(['drifted', 'deployed']);
    expect((await newest(host)).status).not.toHaveProperty('drift');
  });

  test('is still said by the record of a revision that does not concern the host', async () => {
    relink(host, currentLink, `generations/${(await generation()) - 1}`);
    await host.agent();
    await server.commit({ files: { 'notes.txt': `${count}` } });
    expect((await host.agent()).code).toBe(0);
    expect((await newest(host)).status.outcome.event).toBe('unchanged');
    expect(await fleetStatus()).toMatchObject({ state: 'drifted' });
  });

  test('is noticed while the host is held, and hides no hold', async () => {
    expect((await host.autark(['hold', '--reason', 'looking at it'])).code).toBe(0);
    expect((await host.agent()).code).toBe(10);
    relink(host, currentLink, `generations/${(await generation()) - 1}`);
    expect((await host.agent()).code).toBe(10);
    const { outcome } = (await newest(host)).status;
    expect(outcome).toMatchObject({ event: 'drifted', code: 10 });
    expect(await fleetStatus()).toMatchObject({ state: 'held' });
    expect((await host.autark(['resume'])).code).toBe(0);
    expect((await host.agent()).code).toBe(0);
    expect(await fleetStatus()).toMatchObject({ state: 'drifted' });
  });
});

test('what the agent does itself is no drift: a trial, its end, and a going back by hand', async () => {
  const ref = 'refs/heads/testing/web1';
  const seen = (await events()).filter((event) => event === 'drifted').length;
  const noneSince = async (code: number): Promise<void> => {
    expect((await host.agent()).code).toBe(code);
    expect((await host.agent()).code).toBe(code);
    expect((await events()).filter((event) => event === 'drifted')).toHaveLength(seen);
  };
  await server.commit({ files: execHost('web1', 'tried'), ref });
  await noneSince(0);
  expect(host.motd()).toBe('tried');
  await server.git(['update-ref', '-d', ref]);
  await noneSince(0);
  expect((await host.autark(['rollback', '--yes'])).code).toBe(0);
  await noneSince(10);
  expect((await host.autark(['resume'])).code).toBe(0);
  await noneSince(0);
});

describe('with drift: correct', () => {
  const correcting = () => fleet.fleetYaml('web1').replace(/^ {2}web1:\n/m, '  web1:\n    drift: correct\n');

  test('is put right in the same cycle, as a generation of its own, and both are recorded', async () => {
    const yaml = correcting();
    expect(yaml).toContain('drift: correct');
    await server.commit({ files: { 'fleet.yaml': yaml } });
    expect((await host.agent()).code).toBe(0);
    const own = await generation();
    relink(host, currentLink, `generations/${own - 1}`);
    expect((await host.agent()).code).toBe(0);
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own + 1}`);
    expect((await events()).slice(-2)).toEqual(['drifted', 'deployed']);
    const record = await newest(host);
    expect(record.status).not.toHaveProperty('drift');
    expect(record.status.system?.generation).toBe(own + 1);
    expect(host.motd()).toBe(`main ${count}`);
    expect(await fleetStatus()).toMatchObject({ state: 'converged' });
    // And that is all.
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
    expect((await newest(host)).id).toBe(record.id);
  });

  test('a drift that was only recorded is put right once that is asked for', async () => {
    const own = await generation();
    relink(host, currentLink, `generations/${own - 1}`);
    await host.agent();
    await server.commit({ files: { 'fleet.yaml': correcting() } });
    expect((await host.agent()).code).toBe(0);
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own + 1}`);
    expect((await newest(host)).status.outcome.event).toBe('deployed');
  });

  test('a held host is left as it is until it is resumed', async () => {
    await server.commit({ files: { 'fleet.yaml': correcting() } });
    await host.agent();
    const own = await generation();
    expect((await host.autark(['hold', '--reason', 'looking'])).code).toBe(0);
    relink(host, currentLink, `generations/${own - 1}`);
    await host.agent();
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own - 1}`);
    expect((await events()).slice(-2)).toContain('drifted');
    expect((await host.autark(['resume'])).code).toBe(0);
    expect((await host.agent()).code).toBe(0);
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own + 1}`);
  });

  test('what another program keeps switching is put right three times, and only recorded from then on', async () => {
    await server.commit({ files: { 'fleet.yaml': correcting() } });
    expect((await host.agent()).code).toBe(0);
    const own = await generation();
    const left = /was changed by hand: .*; that was put right 3 times within an hour, and changed again/;
    for (const time of [1, 2, 3]) {
      relink(host, currentLink, 'generations/1');
      expect((await host.agent()).code).toBe(0);
      expect(await generation()).toBe(own + time);
      expect((await newest(host)).status).not.toHaveProperty('drift');
    }
    expect(JSON.stringify((await host.records()).map(({ status }) => status))).not.toMatch(left);
    for (const elsewhere of ['generations/1', 'generations/2', 'generations/1']) {
      relink(host, currentLink, elsewhere);
      expect((await host.agent()).code).toBe(0);
      expect(readlinkSync(host.path(currentLink))).toBe(elsewhere);
      const { outcome, system } = (await newest(host)).status;
      expect(outcome.event).toBe('drifted');
      expect(outcome.message).toMatch(left);
      expect(system?.generation).toBe(own + 3);
    }
    const shown = await fleetStatus();
    expect(shown?.state).toBe('drifted');
    expect(shown?.cause).toMatch(left);
    expect(shown?.cause).toContain('look on the host for the program that switches it');
    // Nor is it put right because nothing happens, or by another agent.
    const { id } = await newest(host);
    expect(await host.agent()).toMatchObject({ code: 0, stderr: '' });
    expect((await newest(host)).id).toBe(id);

    await server.commit({ files: { 'notes.txt': 'that program is gone' } });
    expect((await host.agent()).code).toBe(0);
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own + 4}`);
    expect((await newest(host)).status.outcome.event).toBe('deployed');
    expect(await fleetStatus()).toMatchObject({ state: 'converged' });
    relink(host, currentLink, 'generations/1');
    expect((await host.agent()).code).toBe(0);
    expect(readlinkSync(host.path(currentLink))).toBe(`generations/${own + 5}`);
  });
});
