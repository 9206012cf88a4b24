import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { renameSync } from 'node:fs';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-hold');
const { host, server, world } = fleet;
const file = host.path('var/lib/autark/hold.json');
afterAll(() => world.remove());

const push = (motd: string, lines: readonly string[] = []): Promise<string> =>
  server.commit({
    files: { ...execHost('web1', motd), 'fleet.yaml': fleet.fleetYaml('web1', lines) },
    subject: `Say ${motd}`,
  });
const events = async (): Promise<readonly string[]> =>
  (await host.records()).map(({ status }) => status.outcome.event);
const statusOf = async (): Promise<{ state: string; cause: string | null }> => {
  const { stdout } = await world.autark(['status', '--json']);
  return (JSON.parse(stdout) as { hosts: { state: string; cause: string | null }[] }).hosts[0] as never;
};
const hold = async (...args: readonly string[]): Promise<string> => {
  const { code, stderr } = await host.autark(['hold', ...args]);
  expect(code, stderr).toBe(0);
  return stderr;
};
const resume = async (): Promise<string> => {
  const { code, stderr } = await host.autark(['resume']);
  expect(code, stderr).toBe(0);
  return stderr;
};

describe('a host that is held by hand', () => {
  beforeEach(async () => {
    rmSync(file, { force: true });
    await push(`calm ${Math.random()}`);
    expect((await host.agent()).code).toBe(0);
  });

  test('says so once, activates nothing, accepts what is new, and goes on after resume', async () => {
    const [before, records] = [host.running(), (await host.records()).length];
    expect(await hold('--reason', 'disk swap')).toMatch(/^this machine is held: disk swap \(until `autark/m);
    const { code, stderr } = await host.agent();
    expect(code, stderr).toBe(10);
    expect(stderr).toMatch(
      /held by hand on this machine: disk swap \(var\/lib\/autark\/hold\.json\); run `autark resume`/,
    );
    const first = await newest(host);
    const old = await server.head();
    expect(first.status.outcome).toMatchObject({
      ...{ event: 'held', code: 10, attempted: old, phase: 'plan' },
      message: 'held by hand on this machine: disk swap (var/lib/autark/hold.json)',
      remedy: 'run `autark resume` on the machine to go on',
    });
    expect([first.parents.length, first.trailers['Autark-Attempted']]).toEqual([1, old]);

    const [journal, written] = [host.journal(), statSync(host.path('var/lib/autark/journal.json')).mtimeMs];
    expect((await host.agent()).code).toBe(10);
    expect([host.journal(), statSync(host.path('var/lib/autark/journal.json')).mtimeMs]).toEqual([
      ...[journal, written],
    ]);

    const revision = await push('held back');
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).status).toMatchObject({
      ...{ accepted: revision, head: revision },
      outcome: { event: 'held', code: 10, attempted: revision },
    });
    expect(host.running()).toEqual(before);
    expect(await statusOf()).toMatchObject({
      state: 'held',
      cause: expect.stringContaining('disk swap') as unknown,
    });
    expect(((await world.autark(['status'])).code ?? 0) & 16).toBe(16);
    expect(await world.mustAutark(['log', '--event', 'held'])).toContain('disk swap');

    expect(await resume()).toMatch(/^this machine goes on; it was held since .*: disk swap/m);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('held back');
    expect((await events()).slice(records)).toEqual(['held', 'held', 'resumed', 'deployed']);
    expect((await statusOf()).state).toBe('converged');
    expectChain(await host.records(), 'after resume');
    expectAtRest(host, 'after resume');
    expect((await host.agent()).code).toBe(0);
    expect((await events()).length).toBe(records + 4);
  });

  test('twice, is held for the newer reason and end, from the same beginning', async () => {
    await hold('--reason', 'one');
    const since = (JSON.parse(readFileSync(file, 'utf8')) as { since: string }).since;
    expect((await host.agent()).code).toBe(10);
    expect(await hold('--reason', 'two', '--until', '3d')).toMatch(/before, it was held since .*: one/);
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { since: string; until: string };
    expect(kept).toMatchObject({ reason: 'two', since, by: 'hold' });
    const days = (Date.parse(kept.until) - Date.parse(since)) / 86_400_000;
    expect(days).toBeGreaterThan(2.99);
    expect(days).toBeLessThan(3.01);
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).status.outcome.message).toMatch(/: two/);
  });

  test('that was never recorded as held says nothing of it', async () => {
    const before = await host.records();
    await hold('--reason', 'a moment');
    await resume();
    expect((await host.agent()).code).toBe(0);
    expect(await host.records()).toEqual(before);
  });

  test('by a file that cannot be believed is held until somebody says otherwise (P4)', async () => {
    const before = host.running();
    await push('unbelieved');
    writeFileSync(file, '{"format":1,');
    const { code, stderr } = await host.agent();
    expect(code, stderr).toBe(10);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'held', code: 10 });
    expect(host.running()).toEqual(before);
    expect(await resume()).toMatch(/goes on; it was held, though nobody can say for what/);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('unbelieved');
  });

  test('outweighs a pause, but no refusal of a revision', async () => {
    await hold('--reason', 'by hand');
    await push('paused', ['paused: { reason: "disk swap" }']);
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).status.outcome).toMatchObject({
      ...{ event: 'held', message: expect.stringContaining('by hand') as unknown },
    });
    expect((await statusOf()).state).toBe('held');
    await push('invalid', ['intervall: 5s']);
    expect((await host.agent()).code).toBe(21);
    const authentic = await server.head();
    await server.commit({ key: null, files: execHost('web1', 'forged') });
    expect((await host.agent()).code).toBe(20);
    await server.git(['update-ref', 'refs/heads/main', authentic]);
    await push('paused still', ['paused: { reason: "disk swap" }']);
    await resume();
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).status.outcome.event).toBe('paused');
    expect((await events()).filter((event) => event === 'resumed').length).toBeGreaterThan(0);
    expect((await statusOf()).state).toBe('paused');
  });

  test('offline is held, says so once it is heard, and resumes offline', async () => {
    const records = (await host.records()).length;
    await push('unheard');
    renameSync(world.remote, `${world.remote}.away`);
    await hold('--reason', 'no network');
    expect((await host.agent()).code).toBe(50);
    renameSync(`${world.remote}.away`, world.remote);
    expect((await host.agent()).code).toBe(10);
    renameSync(world.remote, `${world.remote}.away`);
    await resume();
    expect((await host.agent()).code).toBe(50);
    renameSync(`${world.remote}.away`, world.remote);
    expect((await host.agent()).code).toBe(0);
    expect((await events()).slice(records)).toEqual(['held', 'resumed', 'deployed']);
    expect(host.motd()).toBe('unheard');
  });

  test('keeps the revision that it tries, and tries nothing new', async () => {
    const testing = (motd: string): Promise<string> =>
      server.commit({ files: execHost('web1', motd), ref: 'refs/heads/testing/web1' });
    await testing('tried');
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('tried');
    const before = host.running();
    await hold('--reason', 'stay');
    expect((await host.agent()).code).toBe(10);
    await testing('another');
    expect((await host.agent()).code).toBe(10);
    await server.git(['update-ref', '-d', 'refs/heads/testing/web1']);
    expect((await host.agent()).code).toBe(10);
    expect(host.running()).toEqual(before);
    expect(await statusOf()).toMatchObject({ state: 'held' });
    await resume();
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toMatch(/^calm/);
  });
});

describe('a hold', () => {
  beforeEach(() => {
    rmSync(file, { force: true });
  });

  test.each([
    [[], /hold needs --reason/],
    [['--reason', ' '], /--reason is a line/],
    [['--reason', 'x'.repeat(401)], /at most 400 characters/],
    [['--reason', 'x', '--until', 'soon'], /--until is a time such as 2h, 3d or 2027.*, not soon/],
    [['--reason', 'x', '--until', '2001-01-05T08:00:00Z'], /a time to come/],
    [['--reason', 'x', '--until', '0h'], /a time to come/],
  ])('of %j is a wrong call, and holds nothing', async (args, said) => {
    const { code, stderr } = await host.autark(['hold', ...args]);
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
    expect(existsSync(file)).toBe(false);
  });

  test('that nobody made is no error to end', async () => {
    expect(await resume()).toBe('this machine was not held by hand: there is nothing to end\n');
  });

  test('needs neither good settings nor a key', async () => {
    const agentYaml = host.path('etc/autark/agent.yaml');
    const good = readFileSync(agentYaml, 'utf8');
    writeFileSync(agentYaml, 'host: [\n');
    await hold('--reason', 'all is broken');
    writeFileSync(agentYaml, good);
    await resume();
  });

  test('needs a machine that is enrolled; approved it need not be', async () => {
    const stranger = fleet.at('nobody');
    const { code, stderr } = await stranger.autark(['hold', '--reason', 'x']);
    expect(stderr).toMatch(/not enrolled.*autark enroll/);
    expect(code).toBe(2);
    const waiting = await fleet.enrol('web2');
    expect((await waiting.autark(['hold', '--reason', 'not yet'])).code).toBe(0);
    await fleet.approve('web2', waiting.fingerprint);
    await server.commit({ files: execHost('web2', 'hello two') });
    expect((await waiting.agent()).code).toBe(10);
    expect((await newest(waiting)).status.outcome.message).toMatch(/not yet/);
    expect(waiting.motd()).toBeNull();
    expect((await waiting.autark(['resume'])).code).toBe(0);
    expect((await waiting.agent()).code).toBe(0);
    expect(waiting.motd()).toBe('hello two');
  });
});

describeWith(['faketime'], 'a hold until a time that comes', () => {
  afterEach(() => {
    rmSync(file, { force: true });
  });

  test('ends by itself, and the records say so', async () => {
    await push('later');
    await hold('--reason', 'for a while', '--until', '2090-01-05T08:00:00Z');
    expect((await host.agent()).code).toBe(10);
    const { code, stderr } = await host.agent({ before: ['faketime', '2091-01-01'] });
    expect(code, stderr).toBe(0);
    expect(host.motd()).toBe('later');
    expect((await events()).slice(-3)).toEqual(['held', 'resumed', 'deployed']);
    expect((await host.autark(['resume'], { before: ['faketime', '2091-01-01'] })).stderr).toMatch(
      /not held by hand/,
    );
  });
});
