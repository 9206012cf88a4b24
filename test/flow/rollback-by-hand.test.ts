import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { currentGeneration, expectAtRest, expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-back');
const { host, server, world } = fleet;
const file = host.path('var/lib/autark/hold.json');
afterAll(() => world.remove());

/** Commits a system and lets the host deploy it. */
const deploy = async (motd: string, files = {}): Promise<string> => {
  const revision = await server.commit({
    files: { ...execHost('web1', motd), ...files },
    subject: `Say ${motd}`,
  });
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  return revision;
};
const journal = (): Record<string, unknown> => JSON.parse(host.journal()) as Record<string, unknown>;
const events = async (): Promise<readonly string[]> =>
  (await host.records()).map(({ status }) => status.outcome.event);
const reasonOf = (): string => (JSON.parse(readFileSync(file, 'utf8')) as { reason: string }).reason;
const stateOf = async (): Promise<string> =>
  /"state": "(\w+)"/.exec((await world.autark(['status', '--json'])).stdout)?.[1] ?? '';

test('where nothing ran before, there is nothing to go back to (1)', async () => {
  const before = host.running();
  const { code, stdout, stderr } = await host.autark(['rollback']);
  expect(stderr).toMatch(/no generation to go back to: generation 1 runs.*; \S+/);
  expect([code, stdout, existsSync(file)]).toEqual([1, '', false]);
  expect(host.running()).toEqual(before);
});

describe('a host that is rolled back by hand', () => {
  beforeEach(async () => {
    await host.autark(['resume']);
    await deploy(`calm ${Math.random()}`);
  });

  test('runs what ran before, offline, stays there, and deploys what it left after resume', async () => {
    const right = await deploy('right');
    const to = currentGeneration(host);
    const left = await deploy('wrong');
    const from = currentGeneration(host);
    const records = (await host.records()).length;
    renameSync(world.remote, `${world.remote}.away`);
    const { code, stdout, stderr } = await host.autark(['rollback']);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`generation ${to.number}: ${right.slice(0, 7)} "Say right"\n`);
    expect(stderr).toContain(`went back from generation ${from.number}, ${left.slice(0, 7)}`);
    expect(stderr).toContain(`held there until \`autark resume --root ${host.root}\``);
    expect([host.motd(), currentGeneration(host)]).toEqual(['right', to]);
    expect(host.activations().slice(-1)).toEqual(['switch right']);
    const reason = `rolled back by hand from generation ${from.number} to ${to.number}`;
    expect(reasonOf()).toBe(reason);
    expect(journal()).toMatchObject({ phase: { at: 'idle' }, lastGood: to.number });
    renameSync(`${world.remote}.away`, world.remote);

    const again = await host.agent();
    expect(again.code, again.stderr).toBe(10);
    const record = await newest(host);
    expect(record.trailers).toMatchObject({
      ...{ 'Autark-Event': 'rolled-back', 'Autark-Revision': right, 'Autark-Attempted': left },
      'Autark-Generation': String(to.number),
    });
    expect(record.status).toMatchObject({
      ...{ head: left, accepted: left, outcome: { event: 'rolled-back', code: 10 } },
    });
    expect(record.subject).toMatch(
      /^web1: went back to generation \d+ from [0-9a-f]{7} "Say wrong": held by/,
    );
    expect(record.parents).toHaveLength(1);
    const status = await world.autark(['status']);
    expect(await stateOf()).toBe('held');
    expect(status.stdout).toContain('rolled back by hand');
    expect((await host.agent()).code).toBe(10);
    expect((await host.records()).length).toBe(records + 1);
    expect(host.motd()).toBe('right');

    expect((await host.autark(['resume'])).stderr).toContain(reason);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('wrong');
    expect((await events()).slice(records)).toEqual(['rolled-back', 'resumed', 'deployed']);
    expect((await newest(host)).trailers['Autark-Revision']).toBe(left);
    expect(await stateOf()).toBe('converged');
    expectChain(await host.records(), 'after resume');
    expectAtRest(host, 'after resume');
  });

  test('stays there when a newer revision comes, and says so', async () => {
    await deploy('first');
    await deploy('second');
    expect((await host.autark(['rollback'])).code).toBe(0);
    const revision = await server.commit({ files: execHost('web1', 'third') });
    expect((await host.agent()).code).toBe(10);
    expect(host.motd()).toBe('first');
    const [, last] = (await host.records()).slice(-2);
    expect(last?.status).toMatchObject({ accepted: revision, outcome: { event: 'held', code: 10 } });
    expect((await events()).slice(-2)).toEqual(['rolled-back', 'held']);
  });

  test('goes further back when asked again, never forward', async () => {
    await deploy('one');
    await deploy('two');
    await deploy('three');
    for (const motd of ['two', 'one']) {
      const { code, stderr } = await host.autark(['rollback']);
      expect(code, stderr).toBe(0);
      expect(host.motd()).toBe(motd);
    }
    await host.autark(['resume']);
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('three');
    // What ran before that is what was gone back to.
    expect((await host.autark(['rollback'])).code).toBe(0);
    expect(host.motd()).toBe('one');
  });

  test('from a revision that it tries runs what it boots', async () => {
    await deploy('booted');
    const { number } = currentGeneration(host);
    await server.commit({ files: execHost('web1', 'tried'), ref: 'refs/heads/testing/web1' });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('tried');
    expect((await host.autark(['rollback'])).code).toBe(0);
    expect([host.motd(), currentGeneration(host).number]).toEqual(['booted', number]);
    expect((await host.agent()).code).toBe(10);
    expect(host.motd()).toBe('booted');
    await server.git(['update-ref', '-d', 'refs/heads/testing/web1']);
  });

  test('whose previous generation is gone is left alone (1)', async () => {
    const gone = currentGeneration(host).number;
    await deploy('lonely');
    rmSync(host.path(`var/lib/autark/generations/${gone}`), { recursive: true });
    const before = host.running();
    const { code, stderr } = await host.autark(['rollback']);
    expect(stderr).toMatch(new RegExp(`no way back: generation ${gone} is gone`));
    expect([code, existsSync(file)]).toEqual([1, false]);
    expect(host.running()).toEqual(before);
    await deploy('later');
  });
});

describe('a going back by hand that fails', () => {
  /** Can be activated while a file is there. */
  const fickle = {
    'hosts/web1/build': {
      executable: buildScript.replace('\nEND\n', () => '\ntest -e "$AUTARK_ROOT/well"\nEND\n'),
    },
  };
  /** Its activation takes the file away. */
  const spoiling = (also: string) => ({
    'hosts/web1/build': {
      executable: buildScript.replace('\nEND\n', () => `\nrm -f "$AUTARK_ROOT/well"\n${also}END\n`),
    },
  });

  test('is undone (40): what ran runs, held, and the hold says why', async () => {
    await host.autark(['resume']);
    writeFileSync(host.path('well'), '');
    await deploy('fickle', fickle);
    await deploy('spoiler', spoiling(''));
    const from = currentGeneration(host);
    const { code, stdout, stderr } = await host.autark(['rollback']);
    expect(stderr).toMatch(
      /autark: generation \d+ could not be activated: .*exited with code 1; generation \d+ runs/,
    );
    expect([code, stdout]).toEqual([40, '']);
    expect([host.motd(), currentGeneration(host)]).toEqual(['spoiler', from]);
    expect(reasonOf()).toMatch(/^could not be rolled back by hand: generation \d+ could not be activated/);
    expect((await host.agent()).code).toBe(10);
    expect((await events()).slice(-2)).toEqual(['rolled-back', 'held']);
    expect((await host.records()).at(-2)?.status.outcome).toMatchObject({ event: 'rolled-back', code: 40 });
    expect(await stateOf()).toBe('held');
    await host.autark(['resume']);
    expect((await host.agent()).code).toBe(0);
    expectChain(await host.records(), 'after it failed');
    expectAtRest(host, 'after it failed');
  });

  test('is said (41) where what ran cannot be activated either; the host is held, and a good revision heals it', async () => {
    writeFileSync(host.path('well'), '');
    await deploy('fickle again', fickle);
    await deploy('stuck', spoiling('test ! -e "$AUTARK_ROOT/broken"\n'));
    writeFileSync(host.path('broken'), '');
    const { code, stdout, stderr } = await host.autark(['rollback']);
    expect([code, stdout]).toEqual([41, '']);
    expect(stderr).toMatch(
      /generation \d+ could not be activated: .*; going back to generation \d+ failed: .*exited with code 1.*half of each/s,
    );
    expect(reasonOf()).toMatch(/^could not be rolled back by hand/);
    expect((await host.agent()).code).toBe(10);
    expect((await host.records()).at(-2)?.status.outcome).toMatchObject({ event: 'failed', code: 41 });
    await host.autark(['resume']);
    await deploy('healed');
    expect(host.motd()).toBe('healed');
    expectChain(await host.records(), 'after it was stuck');
    expectAtRest(host, 'after it was stuck');
  });
});
