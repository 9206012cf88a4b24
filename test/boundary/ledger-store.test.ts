import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostOpener } from '../../agent/adapters/age/identities.ts';
import { ageSealer } from '../../agent/adapters/age/sealer.ts';
import { fileLedgers } from '../../agent/adapters/ledger.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';

const whose = { fleet: '0f9c', host: 'web1' };

describeWith(['age'], 'the sealed part of a host’s state', () => {
  const keyIn = async (folder: string, name: string) => {
    const file = join(folder, name);
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file]);
    return { file, key: readFileSync(`${file}.pub`, 'utf8').trim() };
  };
  const made = async () => {
    const folder = scratch();
    const [own, alice, bob] = await Promise.all(['own', 'alice', 'bob'].map((name) => keyIn(folder, name)));
    if (own === undefined || alice === undefined || bob === undefined) throw new Error('no keys');
    const opener = valueOf(await hostOpener(own.file));
    const place = join(folder, 'state');
    const store = fileLedgers({ folder: place, opener, sealer: ageSealer() });
    const ledger = (readers: readonly string[], names: readonly string[]): Ledger => ({
      ...{ format: 1, ...whose, readers, begun: { seq: 1, installation: 'one' }, disks: [] },
      backups: Object.fromEntries(names.map((name) => [name, { sha256: name, taken: 'then' }])),
    });
    const content = (name: string) => ({ name, content: Buffer.from(`content of ${name}`) });
    const opens = async (path: string, { file }: { file: string }): Promise<string | null> => {
      const ran = await run('age', ['--decrypt', '--identity', file, join(place, path)]);
      return ran.code === 0 ? ran.stdout : null;
    };
    return { own, alice, bob, store, place, ledger, content, opens };
  };

  test('other readers get all of it, and those that are none any more nothing of what is kept', async () => {
    const { own, alice, bob, store, ledger, content, opens, place } = await made();
    const first = ledger([own.key, alice.key], ['a', 'b']);
    valueOf(await store.keep(first, [content('a'), content('b')], null));
    expect(statSync(join(place, 'ledger.age')).mode & 0o777).toBe(0o600);
    const next = ledger([own.key, bob.key], ['a', 'b']);
    valueOf(await store.keep(next, [], first));
    for (const name of ['a', 'b']) {
      expect(await opens(`backups/${name}.age`, bob)).toBe(`content of ${name}`);
      expect(await opens(`backups/${name}.age`, alice)).toBeNull();
    }
    expect(await opens('ledger.age', alice)).toBeNull();
    expect(valueOf(await store.load(whose))).toEqual(next);
  });

  test('a backup that is damaged keeps no other from its new readers, and stays as it is', async () => {
    const { own, alice, bob, store, ledger, content, opens, place } = await made();
    const first = ledger([own.key, alice.key], ['a', 'b']);
    valueOf(await store.keep(first, [content('a'), content('b')], null));
    writeFileSync(join(place, 'backups/a.age'), 'damaged');
    valueOf(await store.keep(ledger([own.key, bob.key], ['a', 'b']), [], first));
    expect(readFileSync(join(place, 'backups/a.age'), 'utf8')).toBe('damaged');
    expect(await opens('backups/b.age', bob)).toBe('content of b');
    expect(await opens('ledger.age', bob)).not.toBeNull();
    // Nor does it keep the host from its next key.
    valueOf(await store.sealAnew([own.key, alice.key]));
    expect(await opens('backups/b.age', alice)).toBe('content of b');
  });

  test('what the ledger does not name goes; nothing else in the folder is touched', async () => {
    const { own, store, ledger, content, place } = await made();
    const first = ledger([own.key], ['a', 'b']);
    valueOf(await store.keep(first, [content('a'), content('b')], null));
    writeFileSync(join(place, 'backups/notes.txt'), 'by hand');
    valueOf(await store.keep(ledger([own.key], ['b']), [], first));
    expect(readdirSync(join(place, 'backups')).sort()).toEqual(['b.age', 'notes.txt']);
    expect(Object.keys(valueOf(await store.ids()))).toEqual(['backups/b.age', 'ledger.age']);
  });

  test('the ledger of another host, or of another fleet, is none, and is not taken over', async () => {
    const { own, store, ledger, place } = await made();
    valueOf(await store.keep(ledger([own.key], []), [], null));
    const before = readFileSync(join(place, 'ledger.age'));
    expect(failureOf(await store.load({ ...whose, host: 'web2' })).cause).toContain('that of web1');
    const files = new Map([['ledger.age', before]]);
    expect((await store.take(files, { ...whose, fleet: 'another' })).ok).toBe(false);
    expect(readFileSync(join(place, 'ledger.age'))).toEqual(before);
  });

  test('what is taken over are files with names that backups have, and no path leads elsewhere', async () => {
    const { own, store, ledger, place } = await made();
    valueOf(await store.keep(ledger([own.key], []), [], null));
    const sealed = readFileSync(join(place, 'ledger.age'));
    const odd = ['backups/../../escaped.age', 'backups/x/y.age', 'backups/.hidden.age', 'status.json'];
    const files = new Map(['ledger.age', 'backups/a.age', ...odd].map((path) => [path, sealed]));
    valueOf(await store.take(files, whose));
    expect(Object.keys(valueOf(await store.ids()))).toEqual(['backups/a.age', 'ledger.age']);
    expect(readdirSync(join(place, '..')).sort()).not.toContain('escaped.age');
    expect(readdirSync(join(place, 'backups'))).toEqual(['a.age']);
  });
});
