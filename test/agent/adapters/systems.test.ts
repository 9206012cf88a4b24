import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Systems } from '../../../agent/ports.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';
import { built, openSystems, registered } from './systems-rig.ts';

let state: string;
let systems: Systems;

/** The same folder as another process would see it. */
const reopen = (): Systems => openSystems(state);

beforeEach(() => {
  state = scratch();
  systems = reopen();
});

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

  test('removes the empty directory that a killed predecessor left, and not its own', async () => {
    const left = valueOf(await systems.reserve());
    const later = reopen();
    const mine = [valueOf(await later.reserve()), valueOf(await later.reserve())];
    expect(existsSync(left)).toBe(false);
    for (const path of mine) expect(existsSync(path)).toBe(true);
  });

  test('removes no system, whatever is left of the generations', async () => {
    const [one, two] = [await registered(systems, 1), await registered(systems, 2)];
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
    const [ten, two] = [await registered(systems, 10), await registered(systems, 2)];
    const withInputs = { ...(await registered(systems, 3)), inputs: 'abc' };
    valueOf(await systems.register(withInputs));
    expect(await reopen().generations()).toEqual([two, withInputs, ten]);
    expect(readlinkSync(join(state, 'generations/10/system'))).toBe(ten.path);
  });

  test('the same number again replaces', async () => {
    const one = await registered(systems, 1);
    const again = { ...one, path: await built(systems, 'other'), digest: 'ff'.repeat(32) };
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
    const one = await registered(systems, 1);
    await registered(systems, 2);
    damage(join(state, 'generations/2'));
    expect(await systems.generations()).toEqual([one]);
  });
});

describe('setCurrent', () => {
  const current = (): string => readlinkSync(join(state, 'current'));

  test('points at a generation, relatively, and elsewhere, and nowhere', async () => {
    const two = (await registered(systems, 1), await registered(systems, 2));
    valueOf(await systems.setCurrent(1));
    expect(current()).toBe('generations/1');
    valueOf(await systems.setCurrent(2));
    expect(readlinkSync(join(state, 'current/system'))).toBe(two.path);
    valueOf(await systems.setCurrent(null));
    valueOf(await systems.setCurrent(null));
    expect(existsSync(join(state, 'current'))).toBe(false);
  });

  test('refuses a generation that is not whole and keeps the old one', async () => {
    await registered(systems, 1);
    await registered(systems, 2);
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
    await registered(systems, 1);
    symlinkSync('generations/9', join(state, `.current.${2 ** 22 + 1}.1.0123456789abcdef.autark-tmp`));
    valueOf(await systems.setCurrent(1));
    expect(readdirSync(state).sort()).toEqual(['current', 'generations', 'systems']);
  });
});
