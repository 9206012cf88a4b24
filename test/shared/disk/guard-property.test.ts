import { expect, test } from 'vitest';
import type { DestroyEvidence } from '../../../shared/disk/evidence.ts';
import { mayDestroy } from '../../../shared/disk/guard.ts';
import { chooseSeed, seeded } from '../../agent/adapters/scratch.ts';
import { mutations } from './mutations.ts';
import { holds } from './oracle.ts';
import { perfect } from './perfect.ts';
import { randomEvidence } from './random-evidence.ts';

const all = Object.entries(mutations);
const cases = 30_000;

test.each(all)('%s: refused, whichever device it befalls', (_name, mutate) => {
  for (const which of [0, 1] as const) {
    const verdict = mayDestroy(mutate(perfect, which));
    expect(verdict.may).toBe(false);
    expect(holds(mutate(perfect, which))).toBe(false);
  }
});

test('whatever goes wrong together, the answer is never that the step may', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let round = 0; round < cases; round += 1) {
    let evidence = perfect;
    const names: string[] = [];
    for (let count = 1 + below(6); count > 0; count -= 1) {
      const [name, mutate] = all[below(all.length)] ?? ['', (same: typeof perfect) => same];
      evidence = mutate(evidence, below(2) === 0 ? 0 : 1);
      names.push(name);
    }
    if (mayDestroy(evidence).may) throw new Error(`AUTARK_SEED=${seed}: may, although ${names.join(', ')}`);
  }
});

test('of any evidence the guard says what the rules say, read aloud', () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const counted = { may: 0, not: 0 };
  // Recombined from a few thousand, which is quicker than to draw each anew.
  const drawn = Array.from({ length: 3000 }, () => randomEvidence(random));
  const pick = (): DestroyEvidence => drawn[Math.floor(random() * drawn.length)] ?? perfect;
  for (let round = 0; round < cases; round += 1) {
    const { host, ledger } = pick();
    const { devices, backups } = pick();
    const evidence = { ...pick(), host, ledger, devices, backups };
    const verdict = mayDestroy(evidence);
    const { may } = verdict;
    counted[may ? 'may' : 'not'] += 1;
    if (may !== holds(evidence)) {
      throw new Error(`AUTARK_SEED=${seed}: ${JSON.stringify(verdict)} of ${JSON.stringify(evidence)}`);
    }
  }
  expect(Math.min(counted.may, counted.not), `seed ${seed}: ${JSON.stringify(counted)}`).toBeGreaterThan(
    cases / 20,
  );
});

/** Every place in a value that holds no list or map, and every list and map itself. */
function placesIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, each]) => placesIn(each, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

function without(value: unknown, [key, ...rest]: readonly string[], instead: unknown): unknown {
  if (key === undefined) return instead;
  if (Array.isArray(value)) {
    return value.map((each: unknown, index) => (String(index) === key ? without(each, rest, instead) : each));
  }
  const map = value as Readonly<Record<string, unknown>>;
  return { ...map, [key]: without(map[key], rest, instead) };
}

test.each([
  ['null', null],
  ['undefined', undefined],
  ['nothing', ''],
])(
  'perfect evidence is the least there is: with %s in place of any part of it, it does not permit',
  (_n, instead) => {
    const places = placesIn(perfect);
    expect(places.length).toBeGreaterThan(70);
    const passed = places.filter((place) => {
      try {
        return mayDestroy(without(perfect, place, instead) as typeof perfect).may;
      } catch {
        // What no type allows may be a crash: that destroys nothing either.
        return false;
      }
    });
    const names = passed.map((place) => place.join('.'));
    expect(names).toEqual([]);
  },
);
