import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { writeKey, writePublicKey } from '../rig/world.ts';

const fleet = await makeDeployed();
const { host: old, server, world } = fleet;
afterAll(() => world.remove());

const autark = async (...args: string[]): Promise<string> => {
  await world.git(['pull', '--quiet']);
  return (await world.mustAutark(args)).trim();
};

test('new hardware takes a name over, as `enroll` says, and the old one stops', async () => {
  const made = await fleet.enrol('web1', 'new-web1');
  await world.git(['pull', '--quiet']);
  const refused = await world.autark(['approve', 'web1', '--fingerprint', made.fingerprint]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/web1 is approved already .*--replace/);
  const revision = await autark('approve', 'web1', '--replace', '--fingerprint', made.fingerprint, '--push');
  expect(await world.git(['log', '-1', '--format=%B', revision])).toMatch(
    /In place of SHA256:\S+, genesis [0-9a-f]{40}/,
  );

  const oldTip = (await newest(old)).id;
  expect((await made.agent()).code).toBe(0);
  expect(made.motd()).toBe('hello');
  const [, first] = await made.records();
  expect(first?.trailers['Autark-Replaces'] ?? (await newest(made)).trailers['Autark-Replaces']).toBe(oldTip);

  const stopped = await old.agent();
  expect(stopped.code).toBe(13);
  expect(stopped.stderr).toContain(revision);
  expect(old.motd()).toBe('hello');
  expect((await world.autark(['verify'])).code).toBe(0);
  const log = await world.mustAutark(['log', 'web1', '--event', 'deployed', '--json']);
  expect((JSON.parse(log) as { entries: unknown[] }).entries).toHaveLength(2);
});

test('there is nothing to replace where nobody is, and nobody who waits', async () => {
  await world.git(['pull', '--quiet']);
  expect((await world.autark(['approve', 'web3', '--replace'])).stderr).toMatch(
    /there is no machine yet that web3 could replace/,
  );
  expect((await world.autark(['approve', 'web1', '--replace'])).stderr).toMatch(
    /no machine waits to become web1/,
  );
});

test('the line that `invite` prints makes a machine known, as it is', async () => {
  const line = await autark('invite', 'web2');
  const [program, ...words] = line.split(' ');
  expect(program).toBe('autark');
  const root = world.root('web2');
  const out = await world.mustAutark([...words, '--root', root]);
  const [print = '', approve = ''] = out.split('\n');
  expect(approve).toBe(`autark approve web2 --fingerprint ${print}`);
  await world.git(['pull', '--quiet']);
  const approving = [...approve.split(' ').slice(1), '--build', 'hosts/web2/build', '--push'];
  const approved = await world.autark(approving);
  // Whoever approves first and writes the program afterwards is told what a host would fail at.
  expect(approved.stderr).toMatch(/hosts\/web2\/build is not committed yet.*web2/);
  await server.commit({ files: execHost('web2', 'second'), subject: 'Say second' });
  expect((await fleet.at('web2').agent()).code).toBe(0);
  expect(fleet.at('web2').motd()).toBe('second');
});

test('a machine that was invited by its key is approved before it is born', async () => {
  const file = join(world.dir, 'born_key');
  await writePublicKey(`${file}.pub`, await writeKey(file, 'root@web4'));
  const invite = ['invite', 'web4', '--key', `${file}.pub`, '--build', 'hosts/web4/build', '--push'];
  await world.git(['pull', '--quiet']);
  expect((await world.autark(invite)).stderr).toContain('hosts/web4/build is not committed yet');
  await server.commit({ files: execHost('web4', 'born'), subject: 'Say born' });
  const there = ['--root', world.root('web4'), '--remote', world.remote, '--host', 'web4', '--key', file];
  const enrolled = await world.autark(['enroll', ...there, '--introduction', fleet.introduction]);
  expect(enrolled.stderr).toContain(
    `web4 is approved already; run \`autark agent --root ${world.root('web4')}\``,
  );
  expect((await fleet.at('web4').agent()).code).toBe(0);
  expect(fleet.at('web4').motd()).toBe('born');
  expect((await world.autark(['verify'])).code).toBe(0);
});

test('hosts heed `pause`, `unpause` and `retire`', async () => {
  const web2 = fleet.at('web2');
  await autark('pause', 'web2', 'web4', '--reason', 'disk swap', '--push');
  await server.commit({ files: execHost('web2', 'later'), subject: 'Say later' });
  expect((await web2.agent()).code).toBe(10);
  expect((await fleet.at('web4').agent()).code).toBe(10);
  const status = await world.autark(['status', 'web2']);
  expect((status.code ?? 0) & 16).toBe(16);
  expect(status.stdout).toMatch(/web2 +paused .*disk swap/);
  await autark('unpause', 'web2', 'web4', '--push');
  expect((await web2.agent()).code).toBe(0);
  expect(web2.motd()).toBe('later');

  await autark('retire', 'web2', '--yes', '--push');
  expect((await web2.agent()).code).toBe(13);
  expect((await newest(web2)).status.outcome.event).toBe('retired');
  expect(web2.motd()).toBe('later');
  expect((await world.autark(['verify'])).code).toBe(0);
});

test('what is promoted is followed, and hosts that held for a merge button go on by themselves', async () => {
  const web4 = fleet.at('web4');
  expect((await web4.agent()).code).toBe(0);
  const merged = await server.commit({ files: execHost('web4', 'merged'), key: null, subject: 'Merge (#1)' });
  expect((await web4.agent()).code).toBe(20);
  await world.git(['fetch', '--quiet']);
  const promoted = (await world.mustAutark(['promote', '--yes', '--push'])).trim();
  expect(
    await world.git(['log', '-1', '--format=%(trailers:key=Autark-From,valueonly)', promoted]),
  ).toContain(merged);
  expect((await web4.agent()).code).toBe(0);
  expect(web4.motd()).toBe('merged');
  expect(existsSync(web4.path('var/lib/autark/hold.json'))).toBe(false);
});
