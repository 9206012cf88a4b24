import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { fileSecrets } from '../../agent/adapters/secrets/store.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { makeSecretHost, type SecretHost } from '../rig/secret-store.ts';

const a = async (host: SecretHost, path: string) => [await host.secret('a', '1', { path })];

/** What lies at a path of the host: a link is `-> ` and where it leads. */
function at(host: SecretHost, path: string): string {
  const stats = lstatSync(host.at(path), { throwIfNoEntry: false });
  if (stats === undefined) return 'nothing';
  if (stats.isSymbolicLink()) return `-> ${readlinkSync(host.at(path)).slice(host.root.length)}`;
  return stats.isDirectory() ? 'a folder' : readFileSync(host.at(path), 'utf8');
}

const linked = '-> /run/autark/secrets/a';
const unopened = { kind: 'secret-unopened', cause: 'no key opens it', remedy: 'none' } as const;

describeWith(['root'], 'a value that is not as it was placed', () => {
  const changes: Readonly<Record<string, (file: string) => void>> = {
    removed: (file) => {
      rmSync(file);
    },
    replaced: (file) => {
      writeFileSync(`${file}.other`, '9');
      renameSync(`${file}.other`, file);
    },
    'written to': (file) => {
      writeFileSync(file, 'more than it was');
    },
    'made a folder': (file) => {
      rmSync(file);
      mkdirSync(file);
    },
  };
  test.each(Object.keys(changes))('because it was %s is noticed, and put back', async (how) => {
    const host = await makeSecretHost();
    const id = await host.place([await host.secret('a', '1'), await host.secret('b', '2')]);
    expect(await host.store.placed()).toBe(id);
    changes[how]?.(host.at('run/autark/secrets/a'));
    expect(await host.store.placed()).toBeNull();
    valueOf(await host.store.place(id));
    expect([host.read('a'), host.read('b'), await host.store.placed()]).toEqual(['1', '2', id]);
  });

  test('is no last good value where its own can be opened no more', async () => {
    const host = await makeSecretHost();
    const id = await host.place([await host.secret('a', '1')]);
    writeFileSync(host.at('run/autark/secrets/a'), 'of somebody else');
    const refuses = { open: () => Promise.resolve({ ok: false, failure: unopened } as const) };
    const store = fileSecrets({ ...host.options, opener: refuses });
    expect(valueOf(await store.place(id)).missing).toEqual([{ name: 'a', cause: unopened.cause }]);
    expect(host.shown()).toEqual([]);
  });

  test('does not keep a set from being placed where the notes about it are gone too', async () => {
    const host = await makeSecretHost();
    const id = await host.place([await host.secret('a', '1')]);
    rmSync(host.at('run/autark/secrets.d/1.about'), { recursive: true });
    expect(await host.store.placed()).toBeNull();
    valueOf(await host.store.place(id));
    expect([host.read('a'), await host.store.placed()]).toEqual(['1', id]);
  });
});

describeWith(['root'], 'a link that is not there', () => {
  test.each(['removed', 'led to another secret'])('because it was %s is made again', async (how) => {
    const host = await makeSecretHost();
    await host.place(await a(host, '/etc/app/a'));
    expect(await host.store.owesMending()).toBe(false);
    rmSync(host.at('etc/app/a'));
    if (how !== 'removed') symlinkSync(host.at('run/autark/secrets/b'), host.at('etc/app/a'));
    expect(await host.store.owesMending()).toBe(true);
    expect(await host.store.mend()).toEqual([]);
    expect([at(host, 'etc/app/a'), await host.store.owesMending()]).toEqual([linked, false]);
  });

  test('because something else was is made once that was moved away', async () => {
    const host = await makeSecretHost();
    writeFileSync(host.at('etc/a'), 'theirs');
    await host.place(await a(host, '/etc/a'));
    expect(await host.store.mend()).toEqual([
      expect.stringMatching(/^\/etc\/a is not linked .* move it away/),
    ]);
    expect([at(host, 'etc/a'), await host.store.owesMending()]).toEqual(['theirs', true]);
    renameSync(host.at('etc/a'), host.at('etc/theirs'));
    expect(await host.store.mend()).toEqual([]);
    expect(at(host, 'etc/a')).toBe(linked);
  });

  test('is made beside a file of the user’s that is called like a draft of it', async () => {
    const host = await makeSecretHost();
    writeFileSync(host.at('etc/a.autark-new'), 'theirs');
    await host.place(await a(host, '/etc/a'));
    expect([at(host, 'etc/a'), at(host, 'etc/a.autark-new')]).toEqual([linked, 'theirs']);
    rmSync(host.at('etc/a'));
    symlinkSync(host.at('run/autark/secrets/b'), host.at('etc/a'));
    // Another one of ours is replaced in one step, for which that name is needed.
    expect(await host.store.mend()).toEqual([expect.stringContaining('/etc/a.autark-new')]);
    expect(at(host, 'etc/a.autark-new')).toBe('theirs');
    rmSync(host.at('etc/a.autark-new'));
    expect(await host.store.mend()).toEqual([]);
    expect(at(host, 'etc/a')).toBe(linked);
  });

  test('is seen where its path ends with a blank', async () => {
    const host = await makeSecretHost();
    await host.place(await a(host, '/etc/a '));
    expect([await host.store.owesMending(), await host.store.mend()]).toEqual([false, []]);
    expect(at(host, 'etc/a ')).toBe(linked);
  });
});

describeWith(['root'], 'a declared path that moves', () => {
  test('below itself, deeper, and back, leaves one link each time', async () => {
    const host = await makeSecretHost();
    for (const path of ['/etc/x', '/etc/x/y', '/etc/x/y/z', '/etc/x', '/etc/x/y', '/etc/x']) {
      await host.place(await a(host, path));
      // At once, and not only when it is mended.
      expect([path, at(host, path)]).toEqual([path, linked]);
      expect(await host.store.mend()).toEqual([]);
    }
    expect(readdirSync(host.at('etc')).sort()).toEqual(['group', 'passwd', 'x']);
  });

  test('to a folder that autark made for another, which is empty by now, takes its place', async () => {
    const host = await makeSecretHost();
    await host.place(await a(host, '/srv/x/y'));
    await host.place(await a(host, '/etc/elsewhere'));
    await host.place(await a(host, '/srv/x'));
    expect([at(host, 'srv/x'), at(host, 'etc/elsewhere')]).toEqual([linked, 'nothing']);
  });

  test('to such a folder stops at what somebody has put there, and says so', async () => {
    const host = await makeSecretHost();
    await host.place(await a(host, '/etc/x/y'));
    writeFileSync(host.at('etc/x/theirs'), 'theirs');
    await host.place(await a(host, '/etc/x'));
    expect(await host.store.mend()).toEqual([
      expect.stringMatching(/etc\/x cannot be linked .* move it away/),
    ]);
    expect(readdirSync(host.at('etc/x'))).toEqual(['theirs']);
    rmSync(host.at('etc/x/theirs'));
    expect(await host.store.mend()).toEqual([]);
    expect(at(host, 'etc/x')).toBe(linked);
  });

  test('to a folder of somebody else’s leaves it there, also an empty one', async () => {
    const host = await makeSecretHost();
    mkdirSync(host.at('etc/x'));
    await host.place(await a(host, '/etc/x/y'));
    await host.place(await a(host, '/etc/x'));
    expect(await host.store.mend()).toEqual([expect.stringContaining('/etc/x is not linked')]);
    expect(at(host, 'etc/x')).toBe('a folder');
  });
});
