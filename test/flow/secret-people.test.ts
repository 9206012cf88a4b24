import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { fleetOfThree, hostKey, inFleet, opens, set } from '../rig/secret-desk.ts';
import type { World } from '../rig/world.ts';

/** Whoever comes and goes: what that changes is sealed anew in the same commit, and nothing else (S11). */
describeWith(['age'], 'sealed files follow the people and machines of a fleet', () => {
  let world: World;
  let keys: readonly string[];
  beforeAll(async () => {
    ({ world } = await fleetOfThree());
    keys = ['admin_key', 'web1', 'web2', 'db1'];
    await hostKey(world, 'web3');
    await hostKey(world, 'bob');
    for (const [name, goesTo] of [
      ['shared', ['--group', 'web']],
      ['only', ['--host', 'db1']],
    ] as const) {
      const made = await set(world, `value of ${name}`, [name, ...goesTo, '--push']);
      expect(made.code, made.stderr).toBe(0);
    }
  });
  afterAll(() => world.remove());

  /** Who opens each of the two, by the program `age`; `check` agrees that this is what `fleet.yaml` asks. */
  const readers = async (): Promise<Record<string, string>> => {
    const checked = await world.autark(['check']);
    expect(checked.code, checked.stdout + checked.stderr).toBe(0);
    const who = async (name: string): Promise<string> => {
      const able = [];
      for (const key of keys) if ((await opens(world, key, `secrets/${name}.age`)) !== null) able.push(key);
      return able.join(' ');
    };
    return { shared: await who('shared'), only: await who('only') };
  };
  /** A command that makes one commit: what it said, and the files of that commit. */
  const does = async (args: readonly string[]): Promise<{ said: string; files: readonly string[] }> => {
    const before = await world.git(['rev-parse', 'HEAD']);
    const ran = await world.autark([...args, '--push']);
    expect(ran.code, ran.stderr).toBe(0);
    expect(await world.git(['rev-parse', 'HEAD~1'])).toBe(before);
    const files = (await world.git(['diff', '--name-only', 'HEAD~1'])).split('\n');
    return { said: ran.stderr, files };
  };
  const sealedAnew = (...names: readonly string[]): readonly string[] =>
    [...names.map((name) => `secrets/${name}.age`), 'secrets/readers.lock'].sort();

  test('a machine that is invited has its values before it exists', async () => {
    keys = [...keys, 'web3', 'bob'];
    const { files } = await does([
      'invite',
      'web3',
      '--key',
      '../web3.pub',
      '--build',
      'b',
      '--group',
      'web',
    ]);
    expect(files).toEqual(['fleet.yaml', ...sealedAnew('shared')]);
    expect(await readers()).toEqual({ shared: 'admin_key web1 web2 web3', only: 'admin_key db1' });
  });

  test('whoever may sign opens nothing for that; a reader opens all', async () => {
    const added = await does(['admin', 'add', 'bob', '--key', '../bob.pub', '--yes']);
    expect(added.files).toEqual(['allowed_signers']);
    expect(added.said).toContain('readers');
    const line = (await world.git(['show', 'HEAD:allowed_signers'])).split('\n').at(-1) ?? '';
    const key = /ssh-ed25519 \S+/.exec(line)?.[0] ?? '';
    await inFleet(world, (text) => text.replace('readers:\n', `readers:\n  - ${key} bob\n`));
    await world.git(['commit', '--quiet', '--all', '--message', 'Let bob read']);
    expect((await world.autark(['check'])).stdout).toMatch(/rekey/);
    const { files } = await does(['rekey']);
    expect(files).toEqual(sealedAnew('only', 'shared'));
    expect(await readers()).toEqual({ shared: 'admin_key web1 web2 web3 bob', only: 'admin_key db1 bob' });
  });

  test('a person who goes reads no new value, and what they have seen is named', async () => {
    const { files, said } = await does(['admin', 'remove', 'bob', '--yes']);
    expect(files).toEqual(['allowed_signers', 'fleet.yaml', ...sealedAnew('only', 'shared')]);
    expect(said).toMatch(/bob.* has seen: only, shared/);
    expect(await readers()).toEqual({ shared: 'admin_key web1 web2 web3', only: 'admin_key db1' });
  });

  test('a machine that is approved gets what its groups get, and the one that it replaces nothing any more', async () => {
    const introduction = await world.git(['config', 'autark.introduction']);
    const enrol = async (name: string, place: string): Promise<string> => {
      const there = ['--root', world.root(place), '--remote', world.remote, '--host', name];
      return (
        (await world.mustAutark(['enroll', ...there, '--introduction', introduction])).split('\n')[0] ?? ''
      );
    };
    const own = (place: string): string => join('hosts', place, 'var/lib/autark/key');
    const print = await enrol('web4', 'web4');
    const approval = ['--fingerprint', print, '--build', 'b', '--group', 'web', '--yes'];
    expect((await does(['approve', 'web4', ...approval])).files).toEqual([
      'fleet.yaml',
      ...sealedAnew('shared'),
    ]);
    const other = await enrol('db1', 'db1-new');
    const replaced = await does(['approve', 'db1', '--replace', '--fingerprint', other, '--yes']);
    expect(replaced.files).toEqual(['fleet.yaml', ...sealedAnew('only')]);
    expect(replaced.said).toMatch(/has seen: only/);
    keys = [...keys, own('web4'), own('db1-new')];
    expect(await readers()).toEqual({
      shared: `admin_key web1 web2 web3 ${own('web4')}`,
      only: `admin_key ${own('db1-new')}`,
    });
  });

  test('a machine that is retired opens nothing new, and what it has seen is named', async () => {
    const { files, said } = await does(['retire', 'web2', '--yes']);
    expect(files).toEqual(['fleet.yaml', ...sealedAnew('shared')]);
    expect(said).toContain('web2 has seen: shared');
    expect((await readers())['shared']).toMatch(/^admin_key web1 web3 hosts\//);
  });

  test('whoever cannot open what would have to be sealed anew changes nothing', async () => {
    const before = await world.git(['rev-parse', 'HEAD']);
    const refused = await world.autark(['retire', 'web1', '--yes', '--identity', '../bob']);
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/nothing was changed: .*secrets\/shared\.age/s);
    expect(await world.git(['rev-parse', 'HEAD'])).toBe(before);
    expect(await world.git(['status', '--porcelain'])).toBe('');
  });
});
