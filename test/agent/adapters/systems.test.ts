import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { systemRandom } from '../../../agent/adapters/random.ts';
import { execSystems } from '../../../agent/adapters/systems.ts';
import type { Systems } from '../../../agent/ports.ts';
import type { Generation } from '../../../shared/cycle/journal.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';

const revision = '3c5e1a2b'.repeat(5);
const searchPath = '/run/current-system/sw/bin:/usr/bin:/bin';
let state: string;
let systems: Systems;

/** The same folder as another process would see it. */
const reopen = (): Systems => execSystems({ state, random: systemRandom(), searchPath });

beforeEach(() => {
  state = scratch();
  systems = reopen();
});

async function built(content = '#!/bin/sh\n'): Promise<string> {
  const path = valueOf(await systems.reserve());
  mkdirSync(join(path, 'bin'));
  writeFileSync(join(path, 'bin/switch-to-configuration'), content, { mode: 0o755 });
  return path;
}

async function registered(number: number): Promise<Generation> {
  const path = await built(`#!/bin/sh\n# ${number}\n`);
  const generation = { number, revision, kind: 'exec', ...valueOf(await systems.seal(path)) } as const;
  valueOf(await systems.register(generation));
  return generation;
}

describe('reserve', () => {
  test('gives new, empty directories that all may enter, whatever the umask', async () => {
    const before = process.umask(0o077);
    const paths = [valueOf(await systems.reserve()), valueOf(await systems.reserve())];
    process.umask(before);
    expect(new Set(paths).size).toBe(2);
    for (const path of paths) {
      expect(path.startsWith(`${state}/systems/`)).toBe(true);
      expect(statSync(path).mode & 0o7777).toBe(0o755);
      expect(readdirSync(path)).toEqual([]);
    }
    expect(statSync(join(state, 'systems')).mode & 0o7777).toBe(0o755);
  });

  test('removes nothing, whatever is left of the generations', async () => {
    const [one, two] = [await registered(1), await registered(2)];
    valueOf(await systems.setCurrent(2));
    for (const gone of ['generations/2', 'generations']) {
      rmSync(join(state, gone), { recursive: true });
      valueOf(await reopen().reserve());
      for (const { path } of [one, two]) expect(existsSync(path)).toBe(true);
    }
  });

  test('says what is wrong when it cannot', async () => {
    writeFileSync(join(state, 'systems'), 'a file');
    expect(failureOf(await systems.reserve())).toMatchObject({ kind: 'unexpected' });
  });
});

describe('generations', () => {
  test('there are none at first', async () => {
    expect(await systems.generations()).toEqual([]);
  });

  test('come back as registered, in order, in another process too', async () => {
    const [ten, two] = [await registered(10), await registered(2)];
    const withInputs = { ...(await registered(3)), inputs: 'abc' };
    valueOf(await systems.register(withInputs));
    expect(await reopen().generations()).toEqual([two, withInputs, ten]);
    expect(readlinkSync(join(state, 'generations/10/system'))).toBe(ten.path);
  });

  test('the same number again replaces', async () => {
    const one = await registered(1);
    const again = { ...one, path: await built('other'), digest: 'ff'.repeat(32) };
    valueOf(await systems.register(again));
    expect(await systems.generations()).toEqual([again]);
    expect(readdirSync(join(state, 'generations/1')).sort()).toEqual(['generation.json', 'system']);
  });

  test.each<[string, (home: string) => void]>([
    [
      'nothing in it',
      (home) => {
        for (const name of ['generation.json', 'system']) rmSync(join(home, name));
      },
    ],
    [
      'only its link',
      (home) => {
        rmSync(join(home, 'generation.json'));
      },
    ],
    [
      'only its file',
      (home) => {
        rmSync(join(home, 'system'));
      },
    ],
    [
      'half a file',
      (home) => {
        writeFileSync(join(home, 'generation.json'), '{"format":1,"numb');
      },
    ],
    [
      "another's file",
      (home) => {
        writeFileSync(join(home, 'generation.json'), readFileSync(join(home, '../1/generation.json')));
      },
    ],
    [
      "another's link",
      (home) => {
        rmSync(join(home, 'system'));
        symlinkSync('/elsewhere', join(home, 'system'));
      },
    ],
  ])('a folder with %s is none', async (_what, damage) => {
    const one = await registered(1);
    await registered(2);
    damage(join(state, 'generations/2'));
    expect(await systems.generations()).toEqual([one]);
  });
});

describe('newestNumber', () => {
  test('is 0 when there is none', async () => {
    expect(await systems.newestNumber()).toBe(0);
  });

  test('counts what is damaged, as a number', async () => {
    for (const number of [9, 10]) await registered(number);
    rmSync(join(state, 'generations/10/generation.json'));
    mkdirSync(join(state, 'generations/draft'));
    expect(await systems.newestNumber()).toBe(10);
    mkdirSync(join(state, 'generations/11'));
    expect(await systems.newestNumber()).toBe(11);
  });
});

describe('setCurrent', () => {
  const current = (): string => readlinkSync(join(state, 'current'));

  test('points at a generation, relatively, and elsewhere, and nowhere', async () => {
    const two = (await registered(1), await registered(2));
    valueOf(await systems.setCurrent(1));
    expect(current()).toBe('generations/1');
    valueOf(await systems.setCurrent(2));
    expect(readlinkSync(join(state, 'current/system'))).toBe(two.path);
    valueOf(await systems.setCurrent(null));
    valueOf(await systems.setCurrent(null));
    expect(existsSync(join(state, 'current'))).toBe(false);
  });

  test('refuses a generation that is not whole and keeps the old one', async () => {
    await registered(1);
    await registered(2);
    valueOf(await systems.setCurrent(1));
    writeFileSync(join(state, 'generations/2/generation.json'), '');
    for (const number of [2, 3]) {
      expect(failureOf(await systems.setCurrent(number))).toMatchObject({
        where: join(state, `generations/${number}`),
      });
    }
    expect(current()).toBe('generations/1');
  });

  test('clears away a link that a crash left half made', async () => {
    await registered(1);
    symlinkSync('generations/9', join(state, `.current.${2 ** 22 + 1}.1.0123456789abcdef.autark-tmp`));
    valueOf(await systems.setCurrent(1));
    expect(readdirSync(state).sort()).toEqual(['current', 'generations', 'systems']);
  });
});

describe('prune', () => {
  const numbers = async (): Promise<number[]> => (await systems.generations()).map((one) => one.number);
  const left = (): string[] =>
    readdirSync(join(state, 'systems')).map((name) => join(state, 'systems', name));

  test('removes other generations, their systems, and what crashes left', async () => {
    const two = (await registered(1), await registered(2));
    const leftover = await built();
    mkdirSync(join(state, 'generations/7'));
    await reopen().prune([2]);
    expect(await numbers()).toEqual([2]);
    expect(readdirSync(join(state, 'generations'))).toEqual(['2']);
    expect(left()).toEqual([two.path]);
    expect(existsSync(leftover)).toBe(false);
  });

  test('leaves what this process has reserved until it is registered or discarded', async () => {
    const one = await registered(1);
    const [building, failed] = [await built(), await built()];
    await systems.prune([1]);
    expect(left().sort()).toEqual([one.path, building, failed].sort());
    await systems.discard(failed);
    valueOf(await systems.register({ ...one, number: 2, path: building }));
    await systems.prune([1]);
    expect(left()).toEqual([one.path]);
  });

  test('keeps a system that two generations share', async () => {
    const one = await registered(1);
    valueOf(await systems.register({ ...one, number: 2 }));
    await systems.prune([2]);
    expect(left()).toEqual([one.path]);
  });

  test('never removes the current generation', async () => {
    const one = await registered(1);
    valueOf(await systems.setCurrent(1));
    await systems.prune([]);
    expect(await systems.generations()).toEqual([one]);
    expect(left()).toEqual([one.path]);
  });

  test('removes no system while a generation cannot be read', async () => {
    const [one, two] = [await registered(1), await registered(2)];
    rmSync(join(state, 'generations/1/system'));
    writeFileSync(join(state, 'generations/1/generation.json'), 'garbage');
    await systems.prune([1, 2]);
    expect(left().sort()).toEqual([one.path, two.path].sort());
    symlinkSync(one.path, join(state, 'generations/1/system'));
    await reopen().prune([1]);
    expect(left()).toEqual([one.path]);
  });

  test.each(['generations/2', 'generations'])(
    'removes no system while current leads to a missing %s',
    async (gone) => {
      const [one, two] = [await registered(1), await registered(2)];
      valueOf(await systems.setCurrent(2));
      rmSync(join(state, gone), { recursive: true });
      await reopen().prune([1]);
      expect(left().sort()).toEqual([one.path, two.path].sort());
    },
  );

  test('knows its systems when the state folder has moved', async () => {
    const one = await registered(1);
    const moved = join(scratch(), 'moved');
    execFileSync('cp', ['-a', state, moved]);
    await execSystems({ state: moved, random: systemRandom(), searchPath }).prune([1]);
    expect(readdirSync(join(moved, 'systems'))).toEqual([basename(one.path)]);
  });

  test('copes with read-only directories and never follows a link out', async () => {
    const outside = scratch();
    writeFileSync(join(outside, 'precious'), '');
    const path = await built();
    mkdirSync(join(path, 'a/b'), { recursive: true });
    writeFileSync(join(path, 'a/b/file'), '', { mode: 0o444 });
    symlinkSync(outside, join(path, 'a/out'));
    symlinkSync(join(outside, 'precious'), join(path, 'a/b/out'));
    chmodSync(join(path, 'a/b'), 0);
    for (const folder of ['a', 'bin', '.']) chmodSync(join(path, folder), 0o555);
    chmodSync(outside, 0o755);
    await reopen().prune([]);
    expect(left()).toEqual([]);
    expect(readdirSync(outside)).toEqual(['precious']);
    expect(statSync(outside).mode & 0o7777).toBe(0o755);
  });
});

describe('discard', () => {
  test('leaves a system that a generation uses', async () => {
    const one = await registered(1);
    await systems.discard(one.path);
    expect(existsSync(one.path)).toBe(true);
  });

  test.each(['/', '.', 'systems/..', 'systems/lost+found', ''])('has nothing to do for %j', async (path) => {
    const one = await registered(1);
    mkdirSync(join(state, 'systems/lost+found'));
    await systems.discard(join(state, path));
    expect(readdirSync(join(state, 'systems')).sort()).toEqual([basename(one.path), 'lost+found'].sort());
    expect(existsSync(join(state, 'generations/1/generation.json'))).toBe(true);
  });

  test('knows what it gave when the state folder has moved, and touches nothing elsewhere', async () => {
    const path = valueOf(await systems.reserve());
    const moved = join(scratch(), 'moved');
    execFileSync('cp', ['-a', state, moved]);
    await execSystems({ state: moved, random: systemRandom(), searchPath }).discard(path);
    expect(readdirSync(join(moved, 'systems'))).toEqual([]);
    expect(existsSync(path)).toBe(true);
  });

  test('minds nothing that is gone already', async () => {
    const path = valueOf(await systems.reserve());
    await systems.discard(path);
    await systems.discard(path);
    expect(existsSync(path)).toBe(false);
  });
});
