import { mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { isThere, makeSecretFleet, shownBy, type SecretFleet } from '../rig/secrets.ts';

/** What somebody did to secrets by hand, and what the next cycles make of it. */
describeWith(['age'], 'secrets of a host at rest', () => {
  let fleet: SecretFleet;
  beforeEach(async () => {
    fleet = await makeSecretFleet();
  });
  afterEach(() => fleet.world.remove());

  const cycles = async (code = 0): Promise<string> => {
    const ran = await fleet.host.agent();
    expect(ran.code, ran.stderr).toBe(code);
    return ran.stderr;
  };
  const deploy = async (code = 0, lines = ['a: { hosts: [web1], path: /etc/app/a }']): Promise<void> => {
    const files = await fleet.files(lines, { a: 'one', b: 'two' });
    await fleet.server.commit({ files: { ...files, ...execHost('web1', 'hello') } });
    await cycles(code);
  };
  const path = (): string => fleet.host.path('etc/app/a');
  const isLinked = (): boolean =>
    isThere(path()) && readlinkSync(path()) === fleet.host.path('run/autark/secrets/a');
  const last = async () => (await newest(fleet.host)).status as unknown as Record<string, unknown>;
  const outcome = async () => (await last())['outcome'] as { readonly event: string; readonly code: number };

  test('a link that was removed is there again, and nothing is recorded', async () => {
    await deploy();
    const { seq } = await last();
    rmSync(path());
    expect(await cycles()).toContain('put back');
    expect([isLinked(), (await last())['seq']]).toEqual([true, seq]);
    expect(await cycles()).not.toContain('put back');
  });

  test('a value that was removed or replaced is there again', async () => {
    await deploy();
    const value = fleet.host.path('run/autark/secrets/a');
    rmSync(value);
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ a: 'one' });
    writeFileSync(value, 'false');
    await cycles();
    expect(shownBy(fleet.host)).toEqual({ a: 'one' });
  });

  test('a file in the place of a link is said (62) once, and all is well once it is gone', async () => {
    await deploy();
    rmSync(path());
    writeFileSync(path(), 'theirs');
    await cycles(62);
    expect(await outcome()).toMatchObject({
      event: 'unchanged',
      code: 62,
      message: expect.stringContaining('/etc/app/a is not linked to the secret a') as unknown,
    });
    const { seq } = await last();
    await cycles(62);
    expect([(await last())['seq'], readFileSync(path(), 'utf8')]).toEqual([seq, 'theirs']);
    rmSync(path());
    await cycles();
    expect([isLinked(), (await outcome()).code]).toEqual([true, 0]);
  });

  test('a file that was there from the start is no obstacle once it is gone, whoever makes the link', async () => {
    mkdirSync(fleet.host.path('etc/app'), { recursive: true });
    writeFileSync(path(), 'theirs');
    await deploy(62);
    rmSync(path());
    await fleet.host.autark(['secrets', 'install']);
    expect(isLinked()).toBe(true);
    await cycles();
    expect([isLinked(), (await outcome()).code]).toEqual([true, 0]);
  });

  test('one of two reasons that is mended leaves the other, and the record says which', async () => {
    const both = ['a: { hosts: [web1], path: /etc/app/a }', 'b: { hosts: [web1], path: /etc/app/b }'];
    mkdirSync(fleet.host.path('etc/app/b'), { recursive: true });
    writeFileSync(path(), 'theirs');
    await deploy(62, both);
    rmSync(path());
    await cycles(62);
    expect(await outcome()).toMatchObject({ message: expect.stringContaining('/etc/app/b') as unknown });
    expect((await newest(fleet.host)).body).not.toContain('/etc/app/a');
  });

  test('a damaged list of paths is said after a boot too (62), until it is removed', async () => {
    await deploy();
    const paths = fleet.host.path('var/lib/autark/secrets/paths.json');
    writeFileSync(paths, '');
    rmSync(fleet.host.path('run/autark'), { recursive: true });
    await cycles(62);
    expect([shownBy(fleet.host), (await outcome()).code]).toEqual([{ a: 'one' }, 62]);
    await cycles(62);
    rmSync(paths);
    await cycles();
    expect((await outcome()).code).toBe(0);
  });

  test('a place that cannot be written to is said (62), and again well by itself', async () => {
    await deploy();
    const link = fleet.host.path('run/autark/secrets');
    rmSync(link);
    mkdirSync(link);
    await cycles(62);
    expect(await outcome()).toMatchObject({ event: 'unchanged', code: 62 });
    const { seq } = await last();
    await cycles(62);
    expect((await last())['seq']).toBe(seq);
    rmSync(link, { recursive: true });
    await cycles();
    expect([shownBy(fleet.host), (await outcome()).code]).toEqual([{ a: 'one' }, 0]);
  });
});
