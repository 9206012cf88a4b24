import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hostProbe } from '../../../../agent/adapters/doctor/host.ts';
import { persistenceOf, realPart, spaceAt } from '../../../../agent/adapters/doctor/places.ts';
import { addressOf, headIn } from '../../../../agent/adapters/doctor/remote.ts';
import { checkUnits } from '../../../../shared/doctor/units.ts';
import { scratch } from '../scratch.ts';

const { signal } = new AbortController();

/** A probe of this machine that finds only these programs. */
function withPrograms(programs: Readonly<Record<string, string>>, systemd = '/') {
  const folder = scratch();
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return hostProbe({ root: '/', env: { PATH: `${folder}:/usr/bin:/bin` }, systemd });
}

describe('units', () => {
  const loaded = 'echo LoadState=loaded; echo UnitFileState=enabled; echo ActiveState=active';
  test('are what systemctl shows of that unit', async () => {
    const script = `[ "$1" = show ] && [ "$7" = autark.service ] && { ${loaded}; }`;
    const facts = await withPrograms({ systemctl: script }).units('autark.service', signal);
    expect(checkUnits(facts, 'autark.service')[0]?.is).toBe('well');
  });

  test('are not asked for where systemd does not run the machine, or the host lies below a root', async () => {
    const without = withPrograms({ systemctl: loaded }, join(scratch(), 'none'));
    expect(await without.units('autark.service', signal)).toEqual({ is: 'no-systemd' });
    const below = hostProbe({ root: scratch(), env: {} });
    expect(await below.units('autark.service', signal)).toEqual({ is: 'elsewhere' });
  });

  test('a systemctl that fails or hangs is given up, with its words', async () => {
    const failing = withPrograms({ systemctl: 'echo no bus >&2; exit 1' });
    expect(await failing.units('autark.service', signal)).toEqual({ is: 'silent', why: 'no bus' });
    const hanging = withPrograms({ systemctl: 'sleep 6000' });
    expect(await hanging.units('autark.service', signal)).toMatchObject({ is: 'silent' });
  });
});

test.each([
  ['echo yes', true],
  ['echo no', false],
  ['echo', null],
  ['exit 1', null],
])('timedatectl that does `%s` says %j', async (script, is) => {
  expect(await withPrograms({ timedatectl: script }).isSynchronised(signal)).toBe(is);
});

test('nix is asked for its version; one that fails is not taken for none', async () => {
  const there = withPrograms({ nix: 'echo "nix (Nix) 2.18.1"' });
  expect(await there.nix(signal)).toEqual({ version: 'nix (Nix) 2.18.1', problem: null });
  const broken = withPrograms({ nix: 'echo error: no store >&2; exit 1' });
  expect(await broken.nix(signal)).toEqual({ version: null, problem: 'no store' });
  const none = hostProbe({ root: '/', env: { PATH: scratch() } });
  expect(await none.nix(signal)).toEqual({ version: null, problem: null });
});

test('a machine id below the root wins over that of the machine', async () => {
  const root = scratch();
  const probe = hostProbe({ root, env: {} });
  expect((await probe.machineId()).where).toBe('/etc/machine-id');
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/machine-id'), '\n');
  expect(await probe.machineId()).toEqual({ text: '\n', where: join(root, 'etc/machine-id') });
});

test('an agent’s lock is read and never taken; what is no lock is held by nobody', async () => {
  const root = scratch();
  const probe = hostProbe({ root, env: {} });
  expect(await probe.daemon()).toEqual({ is: 'none' });
  mkdirSync(probe.paths.state, { recursive: true });
  const holder = { id: 'a'.repeat(32), pid: process.pid, started: 1, boot: 'another', what: 'autark agent' };
  writeFileSync(join(probe.paths.state, 'daemon.lock'), `${JSON.stringify(holder)}\n`);
  expect(await probe.daemon()).toEqual({ is: 'dead' });
});

test('of what is not there, the folder that is counts; links are followed', async () => {
  const folder = scratch();
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  expect(await realPart(join(folder, 'link/a/b'))).toBe(join(folder, 'real'));
  symlinkSync('loop', join(folder, 'loop'));
  expect(await realPart(join(folder, 'loop'))).toBeNull();
  const room = { what: 'x', path: join(folder, 'link/none'), least: 1 };
  expect(await spaceAt([room, { ...room, path: join(folder, 'loop') }])).toMatchObject([
    { what: 'x', least: 1 },
    { why: 'it cannot be looked at' },
  ]);
  const { kept, mounts } = await persistenceOf([{ what: 'x', path: join(folder, 'link'), isWritten: true }]);
  expect(kept[0]?.real).toBe(join(folder, 'real'));
  expect(mounts?.some(({ point }) => point === '/proc')).toBe(true);
});

test.each([
  ['/srv/fleet.git', null, 'local'],
  ['file:///srv/fleet.git', null, 'local'],
  ['git@github.com:team/fleet.git', 'github.com', 'ssh'],
  ['ssh://git@[::1]:2222/fleet.git', '::1', 'ssh'],
  ['https://user:secret@gitlab.com/fleet.git', 'gitlab.com', 'http'],
  ['git://example.org/fleet.git', 'example.org', 'git'],
])('%s is at %s by %s', (remote, server, transport) => {
  expect(addressOf(remote)).toEqual({ server, transport });
});

test('of branches whose names end alike, the exact one counts', () => {
  const listed = `${'a'.repeat(40)}\trefs/heads/x/refs/heads/main\n${'b'.repeat(40)}\trefs/heads/main\n`;
  expect(headIn(listed, 'refs/heads/main')).toBe('b'.repeat(40));
  expect(headIn('', 'refs/heads/main')).toBeNull();
});
