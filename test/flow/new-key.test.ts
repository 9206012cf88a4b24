import {
  copyFileSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest, recordsOf } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { patience } from '../rig/patience.ts';
import { endAll } from '../rig/processes.ts';
import { pin, pinOf, publicKeyAt, type Pin } from '../rig/replacing.ts';
import type { RanProgram } from '../rig/run.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';

/** `enroll --new-key`: the same machine takes another key, and its history goes on. */
let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let file: string;
beforeEach(async () => {
  fleet = await makeDeployed('autark-new-key');
  host = fleet.host;
  file = host.path('etc/autark/new_key');
});
afterEach(async () => {
  endAll(fleet.world.dir);
  await fleet.world.remove();
});

interface Kept {
  readonly installation: string;
  readonly genesis: string;
  readonly successor: { readonly key: string; readonly genesis: string; readonly isOffered: boolean } | null;
}
const journal = (): Kept => JSON.parse(host.journal()) as Kept;
const offer = (to = file): Promise<RanProgram> =>
  fleet.world.autark(['enroll', '--new-key', to, '--root', host.root]);
const offered = (): Pin => journal().successor ?? expect.unreachable();
const waiting = (): Promise<string> =>
  fleet.server.git(['for-each-ref', '--format=%(objectname)', 'refs/heads/enroll/web1']);
const settings = (): string => host.path('etc/autark/agent.yaml');
const deploy = async (motd: string): Promise<RanProgram> => {
  await fleet.server.commit({ files: execHost('web1', motd), subject: motd });
  return host.agent();
};

/** The machine goes on under its new key from the record that was its newest under the old one. */
async function expectTaken(tip: string, because: string): Promise<void> {
  const records = await host.records();
  expectChain(records, because);
  expect(records[1]?.parents.slice(0, 2), because).toEqual([records[0]?.id, tip]);
  expect(records[1]?.trailers, because).toMatchObject({ 'Autark-Replaces': tip });
  expect(records[1]?.status.reports, because).toBeUndefined();
  expect(readFileSync(settings(), 'utf8'), because).toMatch(new RegExp(`^key: ${file}$`, 'm'));
  expect(journal().successor, because).toBeNull();
  expectAtRest(host, because);
  const verified = await fleet.world.autark(['verify']);
  expect(verified.code, `${because}\n${verified.stdout}`).toBe(0);
}

test('a machine offers a new key, goes on with the old one, and takes the new one once it is pinned', async () => {
  // What somebody wrote beside what autark reads stays.
  writeFileSync(settings(), `# by hand\n${readFileSync(settings(), 'utf8')}interval: 1h # seldom\n`);
  const first = await offer();
  expect(first.code, first.stderr).toBe(0);
  const [print = '', line] = first.stdout.split('\n');
  expect(print).toMatch(/^SHA256:\S+$/);
  expect(line).toBe(`autark approve web1 --replace --fingerprint ${print}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const next = offered();
  expect(next).toMatchObject({ key: publicKeyAt(file), isOffered: true });
  expect(await waiting()).toBe(next.genesis);
  const genesis = JSON.parse(await fleet.server.git(['show', `${next.genesis}:status.json`])) as Kept;
  expect(genesis.installation).toBe(journal().installation);
  // Again: the same one.
  const again = await offer();
  expect([again.code, again.stdout]).toEqual([0, first.stdout]);
  expect(offered()).toEqual(next);

  // Meanwhile all is as ever; and one record does not reach the server.
  expect((await deploy('two')).code).toBe(0);
  expect((await newest(host)).parents[0]).toBe((await host.records())[1]?.id);
  await fleet.server.git(['config', 'receive.maxInputSize', '1']);
  expect((await deploy('three')).code).not.toBe(0);
  await fleet.server.git(['config', '--unset', 'receive.maxInputSize']);
  const before = await recordsOf(fleet.server, 'web1');
  expect(before).toHaveLength(3);

  const revision = await pin(fleet, 'web1', next);
  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(0);
  const [, record] = await host.records();
  const tip = record?.parents[1] ?? '';
  expect(await fleet.server.git(['log', '-1', '--format=%s', tip])).toMatch(/"three"/);
  expect(await fleet.server.git(['rev-parse', `${tip}^`])).toBe(before[2]?.id);
  expect(record).toMatchObject({
    parents: [next.genesis, tip, revision],
    status: { outcome: { event: 'unchanged' } },
  });
  expect(record?.status.installation).toBe(genesis.installation);
  await expectTaken(tip, ran.stderr);
  expect(await waiting()).toBe('');
  const text = readFileSync(settings(), 'utf8');
  expect(text).toMatch(/^# by hand\n/);
  expect(text).toContain('interval: 1h # seldom\n');
  // It is the same machine: its numbers go on, and nothing was activated again.
  expect((await deploy('four')).code).toBe(0);
  expect((await newest(host)).status.system?.generation).toBe(4);
  expect(host.activations()).toHaveLength(4);
});

test('beside a running agent it is the agent that offers the key, and takes it, without a restart', async () => {
  setInterval(host, '1h');
  const daemon = startDaemon(fleet.world, host);
  try {
    await daemon.next({ event: 'new-head' });
    const { code, stderr, stdout } = await offer();
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('offers the new key in its next cycle');
    expect(stdout).toMatch(/^SHA256:\S+\nautark approve web1 --replace /);
    daemon.signal('SIGHUP');
    await vi.waitFor(async () => {
      expect(await waiting()).toBe(offered().genesis);
      expect(offered()).toMatchObject({ isOffered: true });
    }, patience);
    const tip = (await newest(host)).id;
    await daemon.after(() => pin(fleet, 'web1', offered()), { event: 'delivered', seq: 1 });
    daemon.signal('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    await expectTaken(tip, JSON.stringify(daemon.events, null, 1));
  } finally {
    await daemon.kill();
  }
});

test('offline the key is kept (50), and offered by the agent as soon as it can', async () => {
  const away = `${fleet.world.remote}.away`;
  renameSync(fleet.world.remote, away);
  const { code, stderr, stdout } = await offer();
  expect([code, stdout]).toEqual([50, '']);
  expect(stderr).toMatch(/the new key is kept: run this again, or leave it to the agent/);
  const { genesis } = offered();
  renameSync(away, fleet.world.remote);
  expect(await waiting()).toBe('');
  expect((await host.agent()).code).toBe(0);
  expect(await waiting()).toBe(genesis);
});

describe('it is refused', () => {
  test('to offer the key that the machine has', async () => {
    const { code, stderr } = await offer(host.path('var/lib/autark/key'));
    expect(code).toBe(2);
    expect(stderr).toMatch(/this is the key that the machine has already .*; name another file/);
    expect(journal().successor).toBeNull();
  });

  test('to offer a second one, until the first is gone', async () => {
    expect((await offer()).code).toBe(0);
    const [first, other] = [offered(), host.path('etc/autark/other_key')];
    const { code, stderr } = await offer(other);
    expect(code).toBe(2);
    expect(stderr).toContain(`run this again with --new-key ${file}; or remove that file first`);
    expect(offered()).toEqual(first);
    unlinkSync(file);
    expect((await offer(other)).code).toBe(0);
    expect(offered()).toMatchObject({ key: publicKeyAt(other), isOffered: true });
    expect(host.state('outbox')).toHaveLength(1);
  });

  test('on a machine that is not approved', async () => {
    const web2 = await fleet.enrol('web2');
    const { code, stderr } = await fleet.world.autark(['enroll', '--new-key', file, '--root', web2.root]);
    expect(code).toBe(10);
    expect(stderr).toMatch(/web2 is not approved.*enrol with --key FILE/);
  });

  test('together with --resume, and where nothing is enrolled', async () => {
    const both = await fleet.world.autark(['enroll', '--resume', '--new-key', file, '--root', host.root]);
    expect(both.code).toBe(2);
    const nobody = await fleet.world.autark([
      'enroll',
      '--new-key',
      file,
      '--root',
      fleet.world.root('nobody'),
    ]);
    expect(nobody.code).toBe(2);
    expect(nobody.stderr).toMatch(/not enrolled/);
  });
});

describe('held (10), with what to do, and on by itself after that', () => {
  test('while agent.yaml is somebody else’s to write', async () => {
    expect((await offer()).code).toBe(0);
    const generated = host.path('etc/autark/generated.yaml');
    renameSync(settings(), generated);
    symlinkSync(generated, settings());
    const tip = (await newest(host)).id;
    await pin(fleet, 'web1', offered());
    for (const time of ['first', 'second']) {
      const { code, stderr } = await host.agent();
      expect(code, time).toBe(10);
      expect(stderr, time).toContain(`write \`key: ${file}\` into agent.yaml by hand (on NixOS: `);
    }
    // Nothing more is recorded under the old key.
    expect((await newest(host)).id).toBe(tip);
    expect(host.state('outbox')).toHaveLength(1);
    writeFileSync(generated, readFileSync(generated, 'utf8').replace(/^key: .*$/m, `key: ${file}`));
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    await expectTaken(tip, ran.stderr);
  });

  test('while the key is not there', async () => {
    expect((await offer()).code).toBe(0);
    copyFileSync(file, `${file}.kept`);
    unlinkSync(file);
    const tip = (await newest(host)).id;
    await pin(fleet, 'web1', offered());
    const { code, stderr } = await host.agent();
    expect(code).toBe(10);
    expect(stderr).toMatch(/pinned with its new key, and that key cannot be used: .*; put the key back/);
    renameSync(`${file}.kept`, file);
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    await expectTaken(tip, ran.stderr);
  });
});

test('a person who names the new key too early is told (22); once it is pinned, all goes on', async () => {
  expect((await offer()).code).toBe(0);
  const tip = (await newest(host)).id;
  const old = readFileSync(settings(), 'utf8');
  writeFileSync(settings(), old.replace(/^key: .*$/m, `key: ${file}`));
  const early = await host.agent();
  expect((await newest(host)).id).toBe(tip);
  expect(early.code, early.stderr).toBe(22);
  await pin(fleet, 'web1', offered());
  const ran = await host.agent();
  expect(ran.code, ran.stderr).toBe(0);
  await expectTaken(tip, ran.stderr);
});

test('a pin of the new key with another genesis is another machine (13)', async () => {
  expect((await offer()).code).toBe(0);
  await pin(fleet, 'web1', { ...offered(), genesis: pinOf(host).genesis });
  expect((await host.agent()).code).toBe(13);
});
