import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { hostOpener } from '../../agent/adapters/age/identities.ts';
import { fileSecrets } from '../../agent/adapters/secrets/store.ts';
import { createKey, loadSigner } from '../../agent/adapters/sign.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';
import { inMemory, makeSecretHost } from '../rig/secret-store.ts';
import { runModule } from './children.ts';

describeWith(['root'], 'a host’s secrets', () => {
  test('a value is there with its owner and mode, and what is kept on disk is sealed', async () => {
    const host = await makeSecretHost();
    const app = { owner: 'app', group: 'app', mode: 0o440 };
    const id = await host.place([await host.secret('plain', 'one'), await host.secret('theirs', 'two', app)]);
    expect([host.read('plain'), host.read('theirs')]).toEqual(['one', 'two']);
    const folder = statSync(host.at('run/autark/secrets'));
    expect([folder.mode & 0o777, folder.uid]).toEqual([0o751, 0]);
    const plain = statSync(host.at('run/autark/secrets/plain'));
    expect([plain.mode & 0o777, plain.uid, plain.gid]).toEqual([0o400, 0, 0]);
    const theirs = statSync(host.at('run/autark/secrets/theirs'));
    expect([theirs.mode & 0o777, theirs.uid, theirs.gid]).toEqual([0o440, 4242, 4242]);
    const kept = host.at(`var/lib/autark/secrets/${String(id)}.json`);
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(readFileSync(kept, 'utf8')).not.toMatch(/"(one|two)"|b25l|dHdv/);
    expect(await host.store.placed()).toBe(id);
  });

  test('the same values under other seals are the same set; another value or declaration is another', async () => {
    const host = await makeSecretHost();
    const id = async (value: string, more = {}): Promise<string | undefined> =>
      valueOf(await host.store.keep([await host.secret('key', value, more)]))?.id;
    const first = await id('one');
    expect(await id('one')).toBe(first);
    expect(
      new Set([first, await id('two'), await id('one', { mode: 0o440 }), await id('one', { path: '/x' })])
        .size,
    ).toBe(4);
    expect(valueOf(await host.store.keep([]))).toBeNull();
  });

  test('what is no longer declared is gone, its link too; also when all is', async () => {
    const host = await makeSecretHost();
    const a = await host.secret('a', '1', { path: '/etc/app/a' });
    const b = await host.secret('b', '2', { path: '/srv/deep/er/b' });
    await host.place([a, b]);
    expect(readFileSync(host.at('srv/deep/er/b'), 'utf8')).toBe('2');
    expect(statSync(host.at('srv/deep')).mode & 0o777).toBe(0o755);
    await host.place([a]);
    expect(host.shown()).toEqual(['a']);
    expect(readdirSync(host.at('srv/deep/er'))).toEqual([]);
    expect(readdirSync(host.at('run/autark/secrets.d'))).toHaveLength(2);
    await host.place([]);
    expect(existsSync(host.at('run/autark/secrets'))).toBe(false);
    expect(readdirSync(host.at('run/autark/secrets.d'))).toEqual([]);
    expect(readdirSync(host.at('etc/app'))).toEqual([]);
    expect(await host.store.placed()).toBeNull();
  });

  test('links that a machine was left with when it was off go with the next placing', async () => {
    const host = await makeSecretHost();
    await host.place([
      await host.secret('a', '1', { path: '/etc/a' }),
      await host.secret('b', '2', { path: '/etc/b' }),
    ]);
    const id = valueOf(await host.store.keep([await host.secret('a', '1', { path: '/etc/a' })]))?.id ?? '';
    // Off and on again: nothing of what lay in memory is there.
    rmSync(host.at('run'), { recursive: true });
    expect(await host.store.placed()).toBeNull();
    valueOf(await host.store.place(id));
    expect(readFileSync(host.at('etc/a'), 'utf8')).toBe('1');
    expect(() => lstatSync(host.at('etc/b'))).toThrow('ENOENT');
  });

  test('somebody else’s file, folder or link at the declared path stays, and is named', async () => {
    const host = await makeSecretHost();
    writeFileSync(host.at('etc/file'), 'theirs');
    mkdirSync(host.at('etc/folder'));
    symlinkSync('/elsewhere', host.at('etc/link'));
    const paths = ['file', 'folder', 'link'];
    const secrets = await Promise.all(paths.map((each) => host.secret(each, 'x', { path: `/etc/${each}` })));
    const set = valueOf(await host.store.keep(secrets));
    const { problems, missing } = valueOf(await host.store.place(set?.id ?? null));
    expect(missing).toEqual([]);
    expect(problems.map((each) => each.split(' ')[0]).sort()).toEqual([
      '/etc/file',
      '/etc/folder',
      '/etc/link',
    ]);
    expect(readFileSync(host.at('etc/file'), 'utf8')).toBe('theirs');
    expect(readlinkSync(host.at('etc/link'))).toBe('/elsewhere');
    // Nor are they removed once the secrets are.
    await host.place([]);
    expect(readdirSync(host.at('etc')).sort()).toEqual(['file', 'folder', 'group', 'link', 'passwd']);
  });

  test('a link of ours that leads nowhere, or to another secret, is led right', async () => {
    const host = await makeSecretHost();
    symlinkSync(host.at('run/autark/secrets/of-old'), host.at('etc/a'));
    await host.place([await host.secret('a', '1', { path: '/etc/a' })]);
    expect(readFileSync(host.at('etc/a'), 'utf8')).toBe('1');
    await host.place([await host.secret('b', '2', { path: '/etc/a' })]);
    expect(readFileSync(host.at('etc/a'), 'utf8')).toBe('2');
  });

  test('an owner that does not exist yet gets the file once it does', async () => {
    const host = await makeSecretHost();
    const later = { owner: 'later', group: 'later', mode: 0o440 };
    const set = valueOf(await host.store.keep([await host.secret('a', '1', later)]));
    const { problems, missing } = valueOf(await host.store.place(set?.id ?? null));
    expect(missing).toEqual([]);
    expect(problems).toEqual([expect.stringContaining('the user later does not exist')]);
    const stats = () => statSync(host.at('run/autark/secrets/a'));
    expect([stats().uid, stats().mode & 0o777]).toEqual([0, 0o400]);
    expect(await host.store.mend()).toEqual(problems);
    for (const [file, line] of [
      ['passwd', 'later:x:77:78::/:/bin/sh'],
      ['group', 'later:x:78:'],
    ] as const)
      writeFileSync(host.at(`etc/${file}`), `${line}\n`, { flag: 'a' });
    expect(await host.store.mend()).toEqual([]);
    expect([stats().uid, stats().gid, stats().mode & 0o777]).toEqual([77, 78, 0o440]);
    expect(await host.store.mend()).toEqual([]);
  });

  test('one that cannot be opened keeps its last good value, and harms no other', async () => {
    const host = await makeSecretHost();
    const first = await host.place([await host.secret('a', 'good'), await host.secret('b', 'old')]);
    const bad = await host.secret('a', 'never', { sealed: Buffer.from('not an age file') });
    const gone = await host.secret('c', '', { sealed: null });
    const set = valueOf(await host.store.keep([bad, await host.secret('b', 'new'), gone]));
    expect(set?.id).not.toBe(first);
    expect(set?.held.map((each) => [each.name, 'cause' in each])).toEqual([
      ['a', true],
      ['b', false],
      ['c', true],
    ]);
    const { missing } = valueOf(await host.store.place(set?.id ?? null));
    expect(missing.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(missing[1]?.cause).toContain('secrets/c.age');
    expect([host.read('a'), host.read('b'), host.shown()]).toEqual(['good', 'new', ['a', 'b']]);
    // The machine boots, and has nothing but what it keeps.
    rmSync(host.at('run'), { recursive: true });
    expect(valueOf(await host.store.place(set?.id ?? null)).missing.map(({ name }) => name)).toEqual([
      'a',
      'c',
    ]);
    expect([host.read('a'), host.shown()]).toEqual(['good', ['a', 'b']]);
    // And back to what was before: all is well again.
    expect(valueOf(await host.store.place(first)).missing).toEqual([]);
    expect(host.read('b')).toBe('old');
  });

  test('with another key nothing opens: what is placed stays, and what boots has none, by name', async () => {
    const host = await makeSecretHost();
    const id = await host.place([await host.secret('a', 'good')]);
    valueOf(await createKey(host.at('other'), 'other'));
    const other = fileSecrets({ ...host.options, opener: valueOf(await hostOpener(host.at('other'))) });
    expect(valueOf(await other.place(id)).missing.map(({ name }) => name)).toEqual(['a']);
    expect(host.read('a')).toBe('good');
    valueOf(await host.store.place(null));
    expect(valueOf(await other.place(id)).missing.map(({ name }) => name)).toEqual(['a']);
    expect(host.shown()).toEqual([]);
  });

  test('sealed anew, a new key opens what the old one could, and the old one nothing; also when done twice', async () => {
    const host = await makeSecretHost();
    const id = await host.place([await host.secret('a', 'good')]);
    valueOf(await createKey(host.at('other'), 'other'));
    const recipient = valueOf(await loadSigner(host.at('other'))).key;
    valueOf(await host.store.sealAnew([recipient]));
    valueOf(await host.store.sealAnew([recipient]));
    valueOf(await host.store.place(null));
    expect(valueOf(await host.store.place(id)).missing).toHaveLength(1);
    const other = fileSecrets({ ...host.options, opener: valueOf(await hostOpener(host.at('other'))) });
    expect(valueOf(await other.place(id)).missing).toEqual([]);
    expect(host.read('a')).toBe('good');
  });

  test('sealed anew to two keys, either opens it: a machine may boot before its settings name the new one', async () => {
    const host = await makeSecretHost();
    const id = await host.place([await host.secret('a', 'good')]);
    valueOf(await createKey(host.at('other'), 'other'));
    const recipient = valueOf(await loadSigner(host.at('other'))).key;
    valueOf(await host.store.sealAnew([host.recipient, recipient]));
    valueOf(await host.store.place(null));
    expect(valueOf(await host.store.place(id)).missing).toEqual([]);
    valueOf(await host.store.place(null));
    const other = fileSecrets({ ...host.options, opener: valueOf(await hostOpener(host.at('other'))) });
    expect(valueOf(await other.place(id)).missing).toEqual([]);
    expect(host.read('a')).toBe('good');
  });

  test('sets that nobody needs are pruned, and the one that is placed never is', async () => {
    const host = await makeSecretHost();
    const ids = [];
    for (const value of ['1', '2', '3']) ids.push((await host.place([await host.secret('a', value)])) ?? '');
    const [first = '', second = '', third = ''] = ids;
    await host.store.prune([second]);
    expect(failureOf(await host.store.kept(first)).cause).toContain('gone');
    expect(valueOf(await host.store.kept(second)).id).toBe(second);
    expect(valueOf(await host.store.kept(third)).id).toBe(third);
    writeFileSync(host.at(`var/lib/autark/secrets/${second}.json`), '{"format": 1, "secrets": [{}]}');
    expect(failureOf(await host.store.place(second))).toMatchObject({ kind: 'secret-unopened' });
    expect(host.read('a')).toBe('3');
  });

  test('no value is written where it could reach a disk', async () => {
    const host = await makeSecretHost();
    const id = valueOf(await host.store.keep([await host.secret('a', 'x')]))?.id ?? '';
    const run = join(scratch(), 'run/autark');
    const store = fileSecrets({ ...host.options, run });
    const failure = failureOf(await store.place(id));
    expect(failure).toMatchObject({ kind: 'secret-unopened', where: run });
    expect(failure.cause).toContain('memory');
    expect(readdirSync(run)).toEqual([]);
    // To take away what may be there is never refused.
    expect(valueOf(await store.place(null))).toEqual({ missing: [], problems: [] });
  });

  test('who reads while sets are swapped always finds a whole value', async () => {
    const host = await makeSecretHost({ root: inMemory() });
    const sets = [];
    for (const value of ['one', 'two'])
      sets.push(
        valueOf(await host.store.keep([await host.secret('a', value, { path: '/etc/a' })]))?.id ?? '',
      );
    valueOf(await host.store.place(sets[0] ?? ''));
    const reader = `
      import { readFileSync } from 'node:fs';
      const seen = { one: 0, two: 0, other: 0 };
      process.on('SIGTERM', () => { console.log(JSON.stringify(seen)); process.exit(); });
      const look = () => {
        for (let n = 0; n < 200; n += 1) {
          try { const text = readFileSync(process.argv[1], 'utf8'); seen[text in seen ? text : 'other'] += 1; }
          catch { seen.other += 1; }
        }
        for (const each of ['one', 'two']) if (seen[each] > 0 && !told.has(each)) console.log(told.add(each) && each);
        setImmediate(look);
      };
      const told = new Set();
      look();`;
    const lines: string[] = [];
    const { child, ended } = runModule(reader, [host.at('etc/a')], (line) => lines.push(line));
    await vi.waitUntil(() => lines.length > 0, patience);
    for (let round = 0; round < 60 || lines.length < 2; round += 1)
      valueOf(await host.store.place(sets[round % 2] ?? ''));
    child.kill('SIGTERM');
    await ended;
    const seen = JSON.parse(lines[2] ?? '{}') as Record<string, number>;
    expect(seen['one']).toBeGreaterThan(0);
    expect(seen['two']).toBeGreaterThan(0);
    expect(seen['other']).toBe(0);
  });
});
