import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';
import { isThere, makeSecretFleet, sealWithAge, shownBy, type SecretFleet } from '../rig/secrets.ts';

/** A host on which every activation notes what it sees of the secrets. */
const noting = (motd: string, extra = 'true') => {
  const files = execHost('web1', motd);
  const build = files['hosts/web1/build'] as { readonly executable: string };
  const note = `cat "$AUTARK_ROOT"/run/autark/secrets/* >"$AUTARK_ROOT/seen" 2>/dev/null || :\n${extra}\nset -eu`;
  return {
    ...files,
    'hosts/web1/build': {
      executable: build.executable.replace("<<'END'\n#!/bin/sh\nset -eu", `<<'END'\n#!/bin/sh\n${note}`),
    },
  };
};

describeWith(['age'], 'a host’s secrets', () => {
  let fleet: SecretFleet;
  beforeEach(async () => {
    fleet = await makeSecretFleet();
  });
  afterEach(() => fleet.world.remove());

  const cycles = async (code = 0): Promise<string> => {
    const ran = await fleet.host.agent();
    expect(ran.code, ran.stderr).toBe(code);
    expectAtRest(fleet.host, ran.stderr);
    return ran.stderr;
  };
  const push = async (
    lines: readonly string[],
    values: Readonly<Record<string, string>> = {},
    motd = 'hello',
    extra?: string,
  ): Promise<string> =>
    fleet.server.commit({ files: { ...(await fleet.files(lines, values)), ...noting(motd, extra) } });
  const last = async () => (await newest(fleet.host)).status as unknown as Record<string, unknown>;
  const link = (): string => fleet.host.path('etc/app/db-password');

  test('are in their place before the system is activated, and nowhere else in the clear', async () => {
    await push(['db-password: { hosts: [web1], path: /etc/app/db-password }'], { 'db-password': 'one' });
    const said = await cycles();
    const { host } = fleet;
    expect(readFileSync(host.path('seen'), 'utf8')).toBe('one');
    expect(readFileSync(link(), 'utf8')).toBe('one');
    expect(readlinkSync(link())).toBe(host.path('run/autark/secrets/db-password'));
    const file = statSync(link());
    expect([file.mode & 0o777, file.uid, file.gid]).toEqual([0o400, 0, 0]);
    expect(statSync(host.path('run/autark/secrets/')).mode & 0o777).toBe(0o751);
    const status = await last();
    expect(status).toMatchObject({
      outcome: { event: 'deployed', code: 0 },
      secrets: { 'db-password': expect.stringMatching(/^[0-9a-f]{64}$/) as unknown },
    });
    expect(status).not.toHaveProperty('missingSecrets');
    expect(said).not.toContain('one');
  });

  test('a new value is a new generation; the same one sealed anew is none', async () => {
    const lines = ['db-password: { hosts: [web1] }'];
    await push(lines, { 'db-password': 'one' });
    await cycles();
    const before = fleet.host.activations().length;
    await push(lines, { 'db-password': 'one' });
    await cycles();
    expect(await last()).toMatchObject({
      outcome: { event: 'unchanged', code: 0 },
      system: { generation: 2 },
    });
    expect(fleet.host.activations()).toHaveLength(before);
    await push(lines, { 'db-password': 'two' });
    await cycles();
    expect(await last()).toMatchObject({ outcome: { event: 'deployed' }, system: { generation: 3 } });
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'two' });
  });

  test('what is no longer declared is gone from wherever it was placed', async () => {
    const both = [
      'db-password: { hosts: [web1], path: /etc/app/db-password }',
      'tls-key: { hosts: [web1], path: /etc/app/tls-key }',
    ];
    await push(both, { 'db-password': 'one', 'tls-key': 'key' });
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one', 'tls-key': 'key' });
    await push(['tls-key: { hosts: [web1] }']);
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ 'tls-key': 'key' });
    expect([isThere(link()), isThere(fleet.host.path('etc/app/tls-key'))]).toEqual([false, false]);
    await push([]);
    await cycles();
    expect(shownBy(fleet.host)).toEqual({});
    expect(await last()).not.toHaveProperty('secrets');
  });

  test('going back to a generation brings its values back, also offline', async () => {
    const lines = ['db-password: { hosts: [web1], path: /etc/app/db-password }'];
    await push(lines, { 'db-password': 'one' });
    await cycles();
    await push([]);
    await cycles();
    const { code, stderr } = await fleet.host.autark(['rollback', '--yes']);
    expect(code, stderr).toBe(0);
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one' });
    expect(readFileSync(link(), 'utf8')).toBe('one');
  });

  test('a switch that fails brings back the values of before', async () => {
    const lines = ['db-password: { hosts: [web1] }'];
    await push(lines, { 'db-password': 'one' });
    await cycles();
    await push(lines, { 'db-password': 'two' }, 'sick', 'exit 1');
    await cycles(40);
    expect(readFileSync(fleet.host.path('seen'), 'utf8')).toBe('one');
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one' });
    // The system is the same as before; what is new is the value, so it is tried.
    await push(lines, { 'db-password': 'three' }, 'hello');
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'three' });
  });

  test('one that cannot be opened harms no other, keeps its last good value, and is named (62)', async () => {
    const lines = ['db-password: { hosts: [web1] }', 'tls-key: { hosts: [web1] }'];
    await push(lines, { 'db-password': 'one', 'tls-key': 'key' });
    await cycles();
    const files = await fleet.files(lines, { 'tls-key': 'new key' });
    const foreign = await sealWithAge('stolen', [fleet.keys[1]]);
    await fleet.server.commit({ files: { ...files, 'secrets/db-password.age': foreign } });
    await cycles(62);
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one', 'tls-key': 'new key' });
    expect(await last()).toMatchObject({
      outcome: { event: 'deployed', code: 62, message: expect.stringContaining('db-password') as unknown },
      missingSecrets: ['db-password'],
    });
    expect((await fleet.world.autark(['status', 'web1'])).stdout).toMatch(/web1 +failed.*db-password/s);
    await cycles(62);
    await push(lines, { 'db-password': 'two', 'tls-key': 'new key' });
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'two', 'tls-key': 'new key' });
    expect(await last()).not.toHaveProperty('missingSecrets');
  });

  test('one without a sealed file, and one that never had a value, are said the same way', async () => {
    await push(['db-password: { hosts: [web1], path: /etc/app/db-password }', 'tls-key: { hosts: [web1] }'], {
      'tls-key': 'key',
    });
    const said = await cycles(62);
    expect(said).toMatch(/db-password/);
    expect(shownBy(fleet.host)).toEqual({ 'tls-key': 'key' });
    expect(isThere(link())).toBe(false);
  });

  test('what nobody signed is opened by nobody, whoever sealed it', async () => {
    const lines = ['db-password: { hosts: [web1] }'];
    await push(lines, { 'db-password': 'one' });
    await cycles();
    const files = await fleet.files(lines, { 'db-password': 'of an outsider' });
    await fleet.server.commit({ files, key: null });
    await cycles(20);
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one' });
  });

  test('what somebody removed by hand is put back by the next cycle', async () => {
    await push(['db-password: { hosts: [web1] }'], { 'db-password': 'one' });
    await cycles();
    rmSync(fleet.host.path('run/autark'), { recursive: true });
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one' });
  });

  test('a set that cannot be placed at all is gone back from, and keeps no other revision out', async () => {
    const lines = ['db-password: { hosts: [web1], path: /etc/app/db-password }'];
    await push(lines, { 'db-password': 'one' });
    await cycles();
    // Where the new link is made, before it takes the place of the old one.
    const obstacle = fleet.host.path('run/autark/.secrets.autark-new');
    mkdirSync(obstacle);
    await push(lines, { 'db-password': 'two' }, 'other');
    await cycles(40);
    expect(await last()).toMatchObject({ outcome: { event: 'rolled-back', code: 40 } });
    expect([fleet.host.motd(), shownBy(fleet.host)]).toEqual(['hello', { 'db-password': 'one' }]);
    rmSync(obstacle, { recursive: true });
    await push(lines, { 'db-password': 'three' }, 'third');
    await cycles();
    expect([fleet.host.motd(), shownBy(fleet.host)]).toEqual(['third', { 'db-password': 'three' }]);
  });

  test('a damaged list of paths is said (62), and keeps neither a removed value nor a new revision out', async () => {
    const kept = 'db-password: { hosts: [web1], path: /etc/app/db-password }';
    await push([kept, 'tls-key: { hosts: [web1] }'], { 'db-password': 'one', 'tls-key': 'key' });
    await cycles();
    const paths = fleet.host.path('var/lib/autark/secrets/paths.json');
    writeFileSync(paths, 'damaged');
    await push([kept], { 'db-password': 'two' }, 'other');
    await cycles(62);
    expect([fleet.host.motd(), shownBy(fleet.host)]).toEqual(['other', { 'db-password': 'two' }]);
    expect(readdirSync(fleet.host.path('run/autark/secrets.d'))).toHaveLength(2);
    expect(await last()).toMatchObject({
      outcome: { event: 'deployed', code: 62, message: expect.stringContaining(paths) as unknown },
    });
  });

  test('a host that is retired has none any more', async () => {
    await push(['db-password: { hosts: [web1], path: /etc/app/db-password }'], { 'db-password': 'one' });
    await cycles();
    await fleet.world.git(['pull', '--quiet']);
    await fleet.world.mustAutark(['retire', 'web1', '--yes', '--push']);
    await cycles(13);
    expect(shownBy(fleet.host)).toEqual({});
    expect(isThere(link())).toBe(false);
    expect(fleet.host.state('secrets').filter((name) => /^[0-9a-f]{64}/.test(name))).toEqual([]);
  });
});

describeWith(['age'], 'a host whose run/autark lies on a disk', () => {
  test('shows no secret, deploys all the same, and its record says so', async () => {
    const fleet = await makeSecretFleet('/var/tmp/autark-secrets-on-disk');
    try {
      const files = await fleet.files(['db-password: { hosts: [web1] }'], { 'db-password': 'one' });
      await fleet.server.commit({ files: { ...files, ...execHost('web1', 'other') } });
      expect((await fleet.host.agent()).code).toBe(62);
      expect(shownBy(fleet.host)).toEqual({});
      expect((await newest(fleet.host)).status).toMatchObject({
        outcome: { event: 'deployed', code: 62, message: expect.stringContaining('memory') as unknown },
      });
      // The subject is about the deployment: what is wrong with it stands below.
      expect((await newest(fleet.host)).body).toContain(
        '  no secret can be placed: this folder does not lie in memory',
      );
    } finally {
      await fleet.world.remove();
    }
  });
});

describeWith(['age', 'root'], 'a host whose run/autark is mended', () => {
  test('is well again by itself', async () => {
    const fleet = await makeSecretFleet('/var/tmp/autark-secrets-mended');
    const folder = fleet.host.path('run/autark');
    const env = { PATH: process.env['PATH'] ?? '' };
    try {
      const files = await fleet.files(['db-password: { hosts: [web1] }'], { 'db-password': 'one' });
      await fleet.server.commit({ files: { ...files, ...execHost('web1', 'other') } });
      expect((await fleet.host.agent()).code).toBe(62);
      mkdirSync(folder, { recursive: true });
      await must('mount', ['-t', 'tmpfs', '-o', 'mode=0755', 'tmpfs', folder], { env });
      expect((await fleet.host.agent()).code).toBe(0);
      expect(shownBy(fleet.host)).toEqual({ 'db-password': 'one' });
      expect((await newest(fleet.host)).status.outcome).toMatchObject({ event: 'unchanged', code: 0 });
      expect(await fleet.host.agent()).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await run('umount', [folder], { env });
      await fleet.world.remove();
    }
  });
});
