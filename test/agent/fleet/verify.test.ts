import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { execHost } from '../../rig/exec-system.ts';
import { makeDeployed, newest, type FleetHost } from '../../rig/fleet.ts';
import { forge } from '../../rig/forged.ts';
import { must, run } from '../../rig/run.ts';
import { program, writeKey } from '../../rig/world.ts';

interface Verified {
  readonly ok: boolean;
  readonly findings: readonly Readonly<Record<'rule' | 'where' | 'cause' | 'remedy', string>>[];
}

/** Two hosts that deployed; after each test the server is honest again. */
const fleet = await makeDeployed('autark-verify');
const { server, world, host: web1 } = fleet;
const web2 = await fleet.join('web2');
await world.commit(execHost('web2', 'hello'), 'Write web2');
for (const host of [web1, web2]) await deploy(host);
const refs = await server.git(['for-each-ref', '--format=update %(refname) %(objectname)']);
const honest = (): Promise<string> => server.git(['update-ref', '--stdin'], `${refs}\n`);
afterAll(() => world.remove());
/** What the clone remembers of the honest server; some tests show it more that is good, and take that back. */
const memory = join(world.clone, '.git/autark/readers.json');
expect(await verify()).toMatchObject({ code: 0, ok: true, findings: [] });
const remembered = readFileSync(memory);
afterEach(async () => {
  await honest();
  writeFileSync(memory, remembered);
});

async function deploy(host: FleetHost): Promise<void> {
  expect((await host.agent()).code).toBe(0);
}

async function verify(cwd = world.clone): Promise<Verified & { readonly code: number | null }> {
  const ran = await run(process.execPath, [program, 'verify', '--json'], { cwd, env: world.env });
  return { code: ran.code, ...(JSON.parse(ran.stdout) as Verified) };
}

/** The only finding, of a verify that fails for it. */
async function finding(): Promise<Verified['findings'][number]> {
  const { code, ok, findings } = await verify();
  expect({ code, ok }).toEqual({ code: 20, ok: false });
  expect(findings).toHaveLength(1);
  return findings[0] ?? expect.unreachable();
}

test('a fleet that is well is well, in one sentence', async () => {
  const above = await server.git(['rev-list', '--count', `${fleet.introduction}..main`]);
  const records = (await web1.records()).length + (await web2.records()).length;
  const { code, stdout } = await world.autark(['verify']);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      `${Number(above) + 1} commits since the introduction ${fleet.introduction} authentic, ` +
      `${records} records of 2 hosts good: all is well\n`,
  });
});

describe('the configuration', () => {
  test('that is not authentic is named at the commit that breaks the rule, in verify and in status', async () => {
    const bad = await server.commit({ key: null });
    await server.commit({ subject: 'Above it' });
    expect(await finding()).toMatchObject({ rule: 'S3', where: bad });
    const { code, stdout, stderr } = await world.autark(['status', '--json']);
    expect((code ?? 0) & 8).toBe(8);
    expect(stderr).toContain(bad);
    expect(JSON.parse(stdout)).toMatchObject({ findings: [{ rule: 'S3', where: bad }] });
  });

  test('of which a commit pins other keys without being authentic changes no host’s verdict', async () => {
    const stranger = await writeKey(join(world.dir, 'stranger'), 'mallory');
    const yaml = fleet.fleetYaml('web1').replace(/key: ssh-ed25519 \S+/, `key: ${stranger.line}`);
    await server.commit({ key: null, files: { 'fleet.yaml': yaml } });
    const { stdout } = await world.autark(['status', '--json', 'web1']);
    expect(JSON.parse(stdout)).toMatchObject({ hosts: [{ host: 'web1', verified: true }] });
  });

  test('that goes back behind what this clone knows to be authentic is a step back', async () => {
    const head = await server.head();
    const older = await server.git(['rev-parse', 'main^']);
    await server.git(['update-ref', 'refs/heads/main', older]);
    const { findings } = await verify();
    expect(findings).toMatchObject([
      { rule: 'S2', where: older, cause: expect.stringContaining(head) as string },
    ]);
  });

  test('that lacks what a host accepted is noticed also by a clone that never saw it', async () => {
    const head = await server.head();
    await server.git(['update-ref', 'refs/heads/main', `${head}^`]);
    const fresh = join(world.dir, 'fresh');
    await must('git', ['clone', '--quiet', world.remote, fresh], { env: world.env });
    const { code, findings } = await verify(fresh);
    expect(code).toBe(20);
    expect(findings).toMatchObject([{ rule: 'S10', cause: expect.stringContaining(head) as string }]);
  });

  test('with a fleet.yaml that is not valid is 21', async () => {
    await server.commit({ files: { 'fleet.yaml': 'hosts: [' } });
    expect(await verify()).toMatchObject({ code: 21, findings: [{ rule: 'fleet.yaml' }] });
  });
});

describe('a state branch', () => {
  const ref = 'refs/heads/state/web1';

  test('that was set back is a step back, with both records', async () => {
    const { id, status } = await newest(web1);
    const older = await server.git(['rev-parse', `${ref}^`]);
    await server.git(['update-ref', ref, older]);
    const { rule, where, cause } = await finding();
    expect({ rule, where }).toEqual({ rule: 'S8', where: older });
    expect(cause).toContain(`set back on the server to record ${status.seq - 1}`);
    expect(cause).toContain(`record ${status.seq} (${id.slice(0, 7)})`);
    const shown = await world.autark(['status', '--json', 'web1']);
    expect(JSON.parse(shown.stdout)).toMatchObject({ hosts: [{ state: 'failed', verified: false }] });
    expect((shown.code ?? 0) & (1 | 8)).toBe(1 | 8);
  });

  test('that is gone is missed, also by a clone that never saw it', async () => {
    await server.git(['update-ref', '-d', ref]);
    expect(await finding()).toMatchObject({ rule: 'S8', where: 'state/web1' });
    const fresh = join(world.dir, 'never-saw');
    await must('git', ['clone', '--quiet', world.remote, fresh], { env: world.env });
    expect((await verify(fresh)).findings).toMatchObject([{ rule: 'S8', where: 'state/web1' }]);
  });

  test.each<[string, () => Promise<string>]>([
    ['of another host', () => server.git(['rev-parse', 'refs/heads/state/web2'])],
    ['with an unsigned record on top', () => forge(server, web1, { key: null })],
    [
      'with a record by somebody else on top',
      async () => forge(server, web1, { key: await writeKey(join(world.dir, 'mallory'), 'mallory') }),
    ],
    ['that is the configuration', () => server.head()],
  ])('%s is not good', async (_what, make) => {
    const tip = await make();
    await server.git(['update-ref', ref, tip]);
    expect(await finding()).toMatchObject({ rule: 'S8', where: tip });
  });

  test('with a number left out, far below a good tip, is named there', async () => {
    const { id } = await newest(web1);
    const skip = (message: string): string =>
      message.replace(/Autark-Seq: (\d+)/, (_, seq) => `Autark-Seq: ${Number(seq) + 1}`);
    await forge(server, web1, { status: ({ seq }) => ({ seq: seq + 1 }), message: skip });
    await forge(server, web1, {});
    const { rule, where, cause } = await finding();
    expect({ rule, where }).toEqual({ rule: 'S8', where: id });
    expect(cause).toMatch(/not good down to its genesis: .* its number is/);
    const log = JSON.parse(await world.mustAutark(['log', 'web1', '--json'])) as {
      entries: { commit: string; verified: boolean }[];
    };
    const place = log.entries.findIndex(({ commit }) => commit === id);
    expect(log.entries.map(({ verified }) => verified)).toEqual(log.entries.map((_, index) => index < place));
  });

  test('that was rewritten by the host’s own key is noticed by who saw it before', async () => {
    const { id } = await newest(web1);
    const below = await server.git(['rev-parse', `${ref}^`]);
    await server.git(['update-ref', ref, below]);
    await forge(server, web1, { status: () => ({ at: '2026-01-01T00:00:00.000Z' }) });
    await forge(server, web1, {});
    const { rule, cause } = await finding();
    expect(rule).toBe('S8');
    expect(cause).toContain(`rewritten: record`);
    expect(cause).toContain(id.slice(0, 7));
  });

  test('whose second parent is not authentic is named', async () => {
    const strange = await server.commit({ key: null, ref: null });
    const { id: tip, status } = await newest(web1);
    const forged = await forge(server, web1, {
      parents: [tip, strange],
      status: ({ system }) => ({ system: { ...system, revision: strange } }),
      message: (text) => text.replace(/Autark-Revision: .*/, `Autark-Revision: ${strange}`),
    });
    expect(status.system).not.toBeNull();
    const { rule, where, cause } = await finding();
    expect({ rule, where }).toEqual({ rule: 'S8', where: forged });
    expect(cause).toContain(strange);
  });

  test('that no fleet.yaml knows is named', async () => {
    await server.git(['update-ref', 'refs/heads/state/web9', 'refs/heads/state/web1']);
    expect(await finding()).toMatchObject({
      rule: 'S8',
      cause: expect.stringContaining('state/web9') as string,
    });
    await server.git(['update-ref', '-d', 'refs/heads/state/web9']);
  });
});

describe('what hosts accepted', () => {
  const accept = (host: FleetHost, accepted: string): Promise<string> =>
    forge(server, host, { status: () => ({ accepted }) });

  test('must be on one line: two branches, both signed by admins, are a fork with both named', async () => {
    const [one, other] = [
      await server.commit({ subject: 'One', ref: null }),
      await server.commit({ subject: 'Other', ref: null }),
    ];
    await server.git(['update-ref', 'refs/heads/main', one]);
    // Both reach the clone: what hosts deployed comes with their records.
    await server.git(['update-ref', 'refs/heads/main-other', other]);
    await accept(web1, one);
    await accept(web2, other);
    const { findings } = await verify();
    const forks = findings.filter(({ cause }) => cause.includes(one) && cause.includes(other));
    expect(forks).toMatchObject([{ rule: 'S10' }]);
    expect(forks[0]?.cause).toMatch(/web1 accepted .* web2 accepted|web2 accepted .* web1 accepted/);
    await server.git(['update-ref', '-d', 'refs/heads/main-other']);
  });

  test('and the branch must hold it: what is not shown here is named', async () => {
    const hidden = 'd'.repeat(40);
    const record = await accept(web1, hidden);
    expect(await finding()).toMatchObject({
      rule: 'S10',
      where: record,
      cause: expect.stringContaining(hidden) as string,
    });
  });

  test('one behind the other is no fork', async () => {
    await accept(web1, await server.git(['rev-parse', 'main^']));
    expect((await verify()).code).toBe(0);
  });
});

test('an introduction that is no whole commit is refused, with where it stands', async () => {
  await world.git(['config', 'autark.introduction', fleet.introduction.slice(0, 7)]);
  const { code, stderr } = await world.autark(['verify']);
  await world.git(['config', 'autark.introduction', fleet.introduction]);
  expect({ code, stderr }).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /not a commit of 40 digits \(git config autark\.introduction\); /,
    ) as string,
  });
});

describe('a clone that nobody told where the fleet begins', () => {
  test('says once what it trusts, keeps to it, and notices another fleet in its place', async () => {
    const fresh = join(world.dir, 'newcomer');
    await must('git', ['clone', '--quiet', world.remote, fresh], { env: world.env });
    const call = () => run(process.execPath, [program, 'verify'], { cwd: fresh, env: world.env });
    const first = await call();
    expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining(fleet.introduction) as string });
    expect(await call()).toMatchObject({ code: 0, stderr: '' });
    const mallory = await writeKey(join(world.dir, 'usurper'), 'mallory');
    const files = { allowed_signers: `mallory ${mallory.line}\n`, 'fleet.yaml': fleet.fleetYaml('web1') };
    const subject = 'Introduce the fleet\n\nAutark-Fleet: 0f9c';
    const usurped = await server.commit({ parents: [], key: mallory, files, subject });
    const { code, findings } = await verify(fresh);
    expect(code).toBe(20);
    expect(findings[0]).toMatchObject({ rule: 'S1', where: usurped });
  });
});
