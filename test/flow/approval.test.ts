import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, makeFleet, newest } from '../rig/fleet.ts';
import { program, writeKey } from '../rig/world.ts';
import { run } from '../rig/run.ts';

const branches = async ({ server }: Fleet): Promise<string[]> =>
  (await server.git(['for-each-ref', '--format=%(refname)', 'refs/heads/state', 'refs/heads/enroll']))
    .split('\n')
    .filter((line) => line !== '');

describe('a machine that nobody has approved', () => {
  let fleet: Fleet;
  let web1: FleetHost & { fingerprint: string };

  beforeAll(async () => {
    fleet = await makeFleet();
    web1 = await fleet.enrol('web1');
    await fleet.server.commit({ files: execHost('web1', 'hello') });
  });
  afterAll(() => fleet.world.remove());

  test('has pushed its genesis to a ref named by its key, and nothing else', async () => {
    const [, base64 = ''] = readFileSync(web1.path('var/lib/autark/key.pub'), 'utf8').split(' ');
    const digest = createHash('sha256').update(Buffer.from(base64, 'base64')).digest('hex');
    expect(await branches(fleet)).toEqual([`refs/heads/enroll/web1/${digest.slice(0, 16)}`]);
  });

  test('is held, says so, and is silent, each time it looks', async () => {
    for (let look = 0; look < 2; look += 1) {
      const { code, stderr } = await web1.agent();
      expect(code).toBe(10);
      if (look === 0) {
        expect(stderr).toMatch(
          /fleet\.yaml does not name web1 \(fleet\.yaml, hosts\); run `autark approve web1`/,
        );
      }
    }
    expect(web1.running()).toEqual({ motd: null, activations: [] });
    expect((await branches(fleet)).filter((ref) => ref.includes('/state/'))).toEqual([]);
    expect((await fleet.world.mustAutark(['status', '--json'])).match(/"state": "(\w+)"/)?.[1]).toBe(
      'unapproved',
    );
  });

  test('enrolled again it continues, with the same genesis', async () => {
    const before = await fleet.server.git(['for-each-ref', 'refs/heads/enroll']);
    const ran = await fleet.world.autark(['enroll', '--root', web1.root]);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining(web1.fingerprint) as string });
    expect(await fleet.server.git(['for-each-ref', 'refs/heads/enroll'])).toBe(before);
  });

  test('approved later, it deploys; its genesis is pinned and waits no longer', async () => {
    const genesis = await fleet.server.git(['for-each-ref', '--format=%(objectname)', 'refs/heads/enroll']);
    await fleet.world.git(['pull', '--quiet']);
    await fleet.world.mustAutark([
      ...['approve', 'web1', '--fingerprint', web1.fingerprint, '--system', 'exec'],
      ...['--build', 'hosts/web1/build', '--yes', '--push'],
    ]);
    expect(await fleet.server.git(['show', 'main:fleet.yaml'])).toContain(`genesis: ${genesis}`);
    expect((await web1.agent()).code).toBe(0);
    expect(web1.running()).toEqual({ motd: 'hello', activations: ['switch hello'] });
    expect(await branches(fleet)).toEqual(['refs/heads/state/web1']);
    expect((await web1.records())[0]?.id).toBe(genesis);
  });

  test('another machine under the same name is not that host, and cannot speak for it', async () => {
    const root = join(fleet.world.dir, 'hosts', 'impostor');
    const before = await newest(web1);
    await fleet.world.mustAutark([
      ...['enroll', '--root', root, '--remote', fleet.world.remote, '--host', 'web1'],
      ...['--introduction', fleet.introduction],
    ]);
    const { env } = fleet.world;
    const ran = await run(process.execPath, [program, 'agent', '--once', '--root', root], { env });
    expect(ran.code).toBe(22);
    expect(ran.stderr).toMatch(/pins another key for web1 .*\(fleet\.yaml, hosts\.web1\.key\); \S+/);
    expect(existsSync(join(root, 'etc/motd'))).toBe(false);
    expect((await newest(web1)).id).toBe(before.id);
  });
});

describe('a name outside the grammar', () => {
  test.each(['Web_1', '-web', 'web.1', 'state/web1', 'x'.repeat(64)])(
    '%s is refused by enroll',
    async (name) => {
      const fleet = await shared();
      const root = join(fleet.world.dir, 'hosts', 'odd');
      const ran = await fleet.world.autark([
        ...['enroll', '--root', root, '--remote', fleet.world.remote, `--host=${name}`],
        ...['--introduction', fleet.introduction],
      ]);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/host must be a name of lower-case letters, digits and -/);
      expect(existsSync(join(root, 'etc/autark/agent.yaml'))).toBe(false);
    },
  );
});

describe('a deployed host', () => {
  let fleet: Fleet & { host: FleetHost };
  let host: FleetHost;

  beforeAll(async () => {
    fleet = await shared();
    host = fleet.host;
  });
  const change = (to: (yaml: string) => string, files = {}): Promise<string> =>
    fleet.server.commit({ files: { ...files, 'fleet.yaml': to(fleet.fleetYaml('web1')) } });

  test('that is gone from fleet.yaml is held, says so in its branch, and loses nothing', async () => {
    const before = {
      ...host.running(),
      generations: host.state('generations'),
      systems: host.state('systems'),
    };
    const revision = await change(
      (yaml) => yaml.replace(/^ {2}web1:\n( {4}.*\n)+/m, ''),
      execHost('web1', 'new'),
    );
    const { code, stderr } = await host.agent();
    expect(code).toBe(10);
    expect(stderr).toMatch(/does not name web1 .*nothing is removed/);
    expect({
      ...host.running(),
      generations: host.state('generations'),
      systems: host.state('systems'),
    }).toEqual(before);
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({
      event: 'held',
      code: 10,
      attempted: revision,
      phase: 'plan',
    });
    expect(record.parents).toHaveLength(1);
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).id).toBe(record.id);
  });

  test('comes back when it is named again', async () => {
    await change((yaml) => yaml, execHost('web1', 'named again'));
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('named again');
  });

  test('whose key is replaced is not that host any more: 13, silent, even where it is paused too', async () => {
    const stranger = (await writeKey(join(fleet.world.dir, 'stranger'), 'x')).line;
    const [before, tip] = [host.running(), await newest(host)];
    const key = /key: ssh-ed25519 \S+\n( {4}genesis: .*\n)?/;
    await change(
      (yaml) =>
        yaml.replace(/( {2}web1:\n)/, '$1    paused: { reason: x }\n').replace(key, `key: ${stranger}\n`),
      execHost('web1', 'theirs'),
    );
    const { code, stderr } = await host.agent();
    expect(code).toBe(13);
    expect(stderr).toMatch(/made another machine web1.* \(fleet\.yaml, hosts\.web1\); \S+/);
    expect(host.running()).toEqual(before);
    expect((await newest(host)).id).toBe(tip.id);
  });

  test('for which another genesis is pinned has been replaced too, and is silent', async () => {
    const [before, tip] = [host.running(), await newest(host)];
    await change(
      (yaml) => yaml.replace(/genesis: .*/, `genesis: ${randomBytes(20).toString('hex')}`),
      execHost('web1', 'y'),
    );
    const { code, stderr } = await host.agent();
    expect(code).toBe(13);
    expect(stderr).toMatch(/made another machine web1.* \(fleet\.yaml, hosts\.web1\); \S+/);
    expect(host.running()).toEqual(before);
    expect((await newest(host)).id).toBe(tip.id);
  });

  test('goes on once its own key and genesis are back', async () => {
    await change((yaml) => yaml, execHost('web1', 'mine'));
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('mine');
  });
});

let one: Promise<Fleet & { host: FleetHost }> | undefined;
function shared(): Promise<Fleet & { host: FleetHost }> {
  return (one ??= makeDeployed());
}
afterAll(async () => (await one)?.world.remove());
