import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { talk } from '../rig/dialogue.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { fleetOfThree, hostKey, inFleet, opens, set } from '../rig/secret-desk.ts';
import type { World } from '../rig/world.ts';

/** Makes these the only readers: whoever signs opens nothing then. */
async function onlyReader(world: World, name: string): Promise<void> {
  const key = (await readFile(join(world.dir, `${name}.pub`), 'utf8')).trim();
  await inFleet(world, (text) => text.replace(/^readers:\n(?: +- .*\n)+/m, `readers:\n  - ${key}\n`));
  await world.git(['commit', '--quiet', '--all', '--message', 'Readers']);
  await world.git(['push', '--quiet']);
}

describeWith(['age'], 'the key that opens', () => {
  let world: World;
  beforeAll(async () => {
    ({ world } = await fleetOfThree());
    await hostKey(world, 'bob');
    await onlyReader(world, 'bob');
    for (const [name, to] of [
      ['shared', ['--group', 'web']],
      ['only', ['--host', 'db1']],
    ] as const)
      expect((await set(world, `value of ${name}`, [name, ...to, '--push'])).code).toBe(0);
  });
  afterAll(() => world.remove());
  afterEach(async () => {
    await world.git(['config', '--unset-all', 'autark.identity']).catch(() => '');
  });
  const head = (): Promise<string> => world.git(['rev-parse', 'HEAD']);
  /** Runs a command that this key cannot do; then with `autark.identity` one that it can. */
  const needsKey = async (args: readonly string[]): Promise<string> => {
    const before = await head();
    const refused = await world.autark(args);
    expect(refused.stderr).toMatch(/sealed to \d other keys|sealed to another key/);
    expect(refused.stderr).toContain('--identity FILE');
    expect(refused.code).toBe(args[0] === 'approve' ? 1 : 62);
    expect(refused.stdout).toBe('');
    expect(await head()).toBe(before);
    // From the home folder on, as git takes it.
    await world.git(['config', 'autark.identity', '~/bob']);
    const done = await world.autark(args);
    expect(done.code, done.stderr).toBe(0);
    return done.stdout;
  };

  test('is the one that git config names, for show', async () => {
    expect(await needsKey(['secret', 'show', 'only'])).toBe('value of only');
  });

  test('is the one that git config names, for set, which can tell then that nothing would change', async () => {
    await world.git(['config', 'autark.identity', join(world.dir, 'bob')]);
    const before = await head();
    const same = await set(world, 'value of only', ['only']);
    expect(same.stderr).toContain('nothing was changed');
    expect(await head()).toBe(before);
  });

  test('is the one that git config names, for rekey', async () => {
    await inFleet(world, (text) => text.replace(/hosts: \[ ?db1 ?\]/, 'hosts: [ db1, web1 ]'));
    await world.git(['commit', '--quiet', '--all', '--message', 'One more host']);
    expect(await opens(world, 'web1', 'secrets/only.age')).toBeNull();
    await needsKey(['rekey', '--push']);
    expect(await opens(world, 'web1', 'secrets/only.age')).toBe('value of only');
  });

  test('is the one that git config names, for approve', async () => {
    const introduction = await world.git(['config', 'autark.introduction']);
    const there = ['--root', world.root('web3'), '--remote', world.remote, '--host', 'web3'];
    const enrolled = await world.mustAutark(['enroll', ...there, '--introduction', introduction]);
    const [print = ''] = enrolled.split('\n');
    await needsKey([
      'approve',
      'web3',
      '--fingerprint',
      print,
      '--build',
      'b',
      '--group',
      'web',
      '--yes',
      '--push',
    ]);
    expect(await opens(world, 'hosts/web3/var/lib/autark/key', 'secrets/shared.age')).toBe('value of shared');
  });

  test('is the one that --identity names before any other, whichever is the right one', async () => {
    await world.git(['config', 'autark.identity', join(world.dir, 'web2')]);
    const show = ['secret', 'show', 'only'];
    expect((await world.autark(show)).code).toBe(62);
    expect(await world.mustAutark([...show, '--identity', '../bob'])).toBe('value of only');
    await world.git(['config', 'autark.identity', join(world.dir, 'bob')]);
    expect(await world.mustAutark(show)).toBe('value of only');
    const wrong = await world.autark([...show, '--identity', '../web2']);
    expect(wrong).toMatchObject({ code: 62, stdout: '' });
  });

  test('that is not there is named, and nothing else is tried', async () => {
    await world.git(['config', 'autark.identity', join(world.dir, 'bob')]);
    const ran = await world.autark(['secret', 'show', 'only', '--identity', '../nobody']);
    expect(ran).toMatchObject({ code: 62, stdout: '' });
    expect(ran.stderr).toMatch(/cannot read the private key: it, .* does not exist \(.*\/nobody\)/);
  });
});

describeWith(['age', 'ssh-keygen'], 'a key with a passphrase', () => {
  let world: World;
  const question = /Passphrase for \S*\/carol:/g;
  const passphrase = 'correct horse';
  const show = ['secret', 'show', 'shared', '--identity', '../carol'];
  beforeAll(async () => {
    ({ world } = await fleetOfThree());
    // Few rounds: how slow bcrypt is, is not what is asked here.
    const making = ['-q', '-t', 'ed25519', '-a', '2', '-C', 'carol', '-N', passphrase, '-f', '../carol'];
    await must('ssh-keygen', making, { cwd: world.clone, env: world.env });
    await world.mustAutark(['admin', 'add', 'carol', '--key', '../carol.pub', '--yes', '--push']);
    await onlyReader(world, 'carol');
    for (const name of ['shared', 'other'])
      expect((await set(world, `value of ${name}`, [name, '--group', 'web', '--push'])).code).toBe(0);
  });
  afterAll(() => world.remove());
  const head = (): Promise<string> => world.git(['rev-parse', 'HEAD']);

  test('is asked for on the terminal, unseen and once, also where the value goes elsewhere', async () => {
    const said = await talk(world, show, [['carol:', `${passphrase}\r`]]);
    expect(said).toMatchObject({ code: 0, isRestored: true });
    expect(said.shown).toMatch(/^Passphrase for \S*\/carol: \nvalue of shared$/);
    const file = join(world.dir, 'shown');
    const passed = await talk(world, show, [['carol:', `${passphrase}\r`]], { into: `>'${file}'` });
    expect(passed.shown).toMatch(/^Passphrase for \S*\/carol: \n$/);
    expect(await readFile(file, 'utf8')).toBe('value of shared');
  });

  test('that is wrong says so, and after three times that is all', async () => {
    const mended = await talk(world, show, [
      ['carol:', 'wrong\r'],
      ['That was not it.', ''],
      ['carol:', `${passphrase}\r`],
    ]);
    expect(mended.code).toBe(0);
    const said = await talk(world, show, [
      ['carol:', 'wrong\r'],
      ['carol:', `${passphrase} \r`],
      ['carol:', 'wrong\r'],
    ]);
    expect(said).toMatchObject({ code: 62, isRestored: true });
    expect(said.shown.match(question)).toHaveLength(3);
    expect(said.shown).toMatch(/the passphrase was wrong 3 times.*try again, or name another key/);
    expect(said.shown).not.toMatch(/: wrong|horse|value of/);
  });

  test('that nobody types is none: an empty line, the end of input, and an interrupt', async () => {
    for (const keys of ['\r', '\u0004']) {
      const said = await talk(world, show, [['carol:', keys]]);
      expect(said).toMatchObject({ code: 62, isRestored: true });
      expect(said.shown.match(question)).toHaveLength(1);
      expect(said.shown).toMatch(
        /none was given.*run this on a terminal and type it, or name a key without one/,
      );
    }
    const said = await talk(world, show, [['carol:', 'corr\u0003']]);
    expect(said).toMatchObject({ code: 130, isRestored: true });
    expect(said.shown).toMatch(/carol: \n$/);
  });

  test('cannot be asked for without a terminal, which is said with what to do, for show and for rekey', async () => {
    await inFleet(world, (text) => {
      const [hosts = '', secrets = ''] = text.split(/^(?=secrets:)/m);
      return hosts + secrets.replace(/^( +)groups:/gm, '$1hosts: [ db1 ]\n$1groups:');
    });
    await world.git(['commit', '--quiet', '--all', '--message', 'One more host']);
    const before = await head();
    for (const words of [show, ['rekey', '--identity', '../carol']]) {
      const ran = await world.autark(words);
      expect(ran).toMatchObject({ code: 62, stdout: '' });
      expect(ran.stderr).toMatch(/locked with a passphrase, and none was given.*run this on a terminal/);
    }
    expect(await head()).toBe(before);
    expect(await world.git(['status', '--porcelain'])).toBe('');
  });

  test('that also signs is asked for by rekey once for all files, and by ssh-keygen to sign', async () => {
    expect((await world.autark(['check'])).code).toBe(21);
    await world.git(['config', 'user.signingkey', '../carol.pub']);
    const before = await head();
    const said = await talk(
      world,
      ['rekey'],
      [
        ['carol:', `${passphrase}\r`],
        ['Enter passphrase', `${passphrase}\r`],
      ],
    );
    expect(said.shown).toMatch(/sealed anew \(2 files\)/);
    expect(said.shown.match(question)).toHaveLength(1);
    expect(said.shown).not.toMatch(/horse/);
    expect(said).toMatchObject({ code: 0, isRestored: true });
    expect(await world.git(['rev-parse', 'HEAD~1'])).toBe(before);
    for (const name of ['shared', 'other'])
      expect(await opens(world, 'db1', `secrets/${name}.age`)).toBe(`value of ${name}`);
    await world.mustAutark(['check']);
  });
});
