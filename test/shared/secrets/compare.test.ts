import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Fleet } from '../../../shared/fleet/fleet.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import {
  differences,
  lockWith,
  resealingFor,
  sourceOf,
  wholeResealing,
  type Resealing,
  type Sealed,
} from '../../../shared/secrets/compare.ts';
import { formatLock, parseLock, type LockEntry } from '../../../shared/secrets/readers-lock.ts';
import { sealedFiles } from '../../../shared/secrets/sealed.ts';
import { formatPrivateKey, parsePrivateKey } from '../../../shared/trust/ssh-key.ts';
import { chooseSeed, seeded, valueOf } from '../../agent/adapters/scratch.ts';

/** As a person would write it down: what each host and secret is, by name. */
interface World {
  readers: readonly string[];
  hosts: Readonly<Record<string, { key: string; group: string; retired: boolean }>>;
  secrets: Readonly<Record<string, { group: string; host: string; each: boolean }>>;
}

function keyFrom(byte: number): string {
  return valueOf(parsePrivateKey(formatPrivateKey(new Uint8Array(32).fill(byte), '', 1))).line;
}
const keys = Array.from({ length: 24 }, (_, index) => keyFrom(index + 1));

function fleetOf({ readers, hosts, secrets }: World): Fleet {
  const entries = (all: Readonly<Record<string, string>>) =>
    Object.entries(all).map(([name, entry]) => `  ${name}: { ${entry} }\n`);
  const text = [
    'version: 1\nfleet: 0f9cba9876543210fedcba9876543210\ngroups: { web: , db: }\n',
    `readers: [${readers.join(', ')}]\nhosts:\n`,
    ...entries(
      Object.fromEntries(
        Object.entries(hosts).map(([name, { key, group, retired }]) => [
          name,
          `key: ${key}, groups: [${group}], retired: ${retired}`,
        ]),
      ),
    ),
    'secrets:\n',
    ...entries(
      Object.fromEntries(
        Object.entries(secrets).map(([name, { group, host, each }]) => [
          name,
          `groups: [${group}], hosts: [${host in hosts ? host : ''}], each: ${each}`,
        ]),
      ),
    ),
  ].join('');
  return valueOf(parseFleet(text, { file: 'fleet.yaml', version: '0.2.0' }));
}

/** What lies in the repository: who really opens each file, besides what the lock says of that. */
class Repository {
  opens = new Map<string, readonly string[]>();
  sealed: Sealed = { lock: new Map(), digests: new Map() };
  private count = 0;

  /** As a command does it: seals, removes, and writes the lock. */
  apply(plan: Resealing): void {
    const written = new Map<string, LockEntry>();
    const digests = new Map(this.sealed.digests);
    for (const { path, recipients } of plan.reseal) {
      // Sealed anew, a file has other bytes.
      const sha256 = createHash('sha256')
        .update(`${(this.count += 1)}`)
        .digest('hex');
      written.set(path, { sha256, changed: 0, recipients });
      digests.set(path, sha256);
      this.opens.set(path, recipients);
    }
    for (const path of plan.remove) {
      digests.delete(path);
      this.opens.delete(path);
    }
    const lock = lockWith(this.sealed.lock, written, plan.remove);
    this.sealed = { lock: lock.size === 0 ? lock : valueOf(parseLock(formatLock(lock))), digests };
  }
}

/** Another fleet, by one thing that a person or a machine does. */
function changed(world: World, chance: () => number): World {
  const pick = <Each>(all: readonly Each[]): Each | undefined => all[Math.floor(chance() * all.length)];
  const any = (most: number): number => Math.floor(chance() * most);
  const group = chance() < 0.5 ? 'web' : 'db';
  const host = pick(Object.keys(world.hosts)) ?? '';
  const secret = pick(Object.keys(world.secrets)) ?? '';
  const at = world.hosts[host];
  const free = keys.find(
    (key) => !world.readers.includes(key) && Object.values(world.hosts).every((each) => each.key !== key),
  );
  const hosts = (name: string, entry: Partial<World['hosts'][string]>): World => ({
    ...world,
    hosts: { ...world.hosts, [name]: { key: free ?? '', group, retired: false, ...entry } },
  });
  switch (any(7)) {
    case 0:
      return free === undefined ? world : hosts(`h${Object.keys(world.hosts).length}`, {});
    case 1:
      return at === undefined ? world : hosts(host, { ...at, group });
    case 2:
      return at === undefined ? world : hosts(host, { ...at, retired: true });
    case 3:
      return at === undefined || free === undefined ? world : hosts(host, { ...at, key: free });
    case 4: {
      const left = world.readers.filter((_, index) => index === 0 || chance() < 0.5);
      return { ...world, readers: free === undefined || chance() < 0.5 ? left : [...world.readers, free] };
    }
    case 5: {
      const { [secret]: _gone, ...left } = world.secrets;
      return { ...world, secrets: left };
    }
    default: {
      const entry = { group, host, each: chance() < 0.3 };
      return { ...world, secrets: { ...world.secrets, [`s${any(6)}`]: entry } };
    }
  }
}

/** Every value that is declared and not there yet is set. */
function setAll(fleet: Fleet, repository: Repository): void {
  const lacking = sealedFiles(fleet).filter(({ path }) => !repository.opens.has(path));
  repository.apply({ reseal: lacking, remove: [], keep: [] });
}

/** One secret for two hosts, with a value. */
function sharedByTwo(): { readonly world: World; readonly repository: Repository } {
  const host = (key: number) => ({ key: keys[key] ?? '', group: 'web', retired: false });
  const world: World = {
    readers: [keys[0] ?? ''],
    hosts: { h1: host(1), h2: host(2) },
    secrets: { s: { group: 'web', host: '', each: false } },
  };
  const repository = new Repository();
  setAll(fleetOf(world), repository);
  return { world, repository };
}

describe('the only copy of a value', () => {
  test('stays where its secret has another name in fleet.yaml, unless its removal is asked for', () => {
    const { world, repository } = sharedByTwo();
    const renamed = fleetOf({ ...world, secrets: { t: { group: 'web', host: '', each: false } } });
    const plan = (removesUndeclared: boolean) =>
      wholeResealing(renamed, repository.sealed, { removesUndeclared });
    expect(plan(false)).toEqual({ reseal: [], remove: [], keep: ['secrets/s.age'] });
    expect(plan(true)).toEqual({ reseal: [], remove: ['secrets/s.age'], keep: [] });
  });

  test('goes to each host that shared it, and to no other, once each has a value of its own', () => {
    const { world, repository } = sharedByTwo();
    const before = fleetOf(world);
    const more = { ...world.hosts, h3: { key: keys[3] ?? '', group: 'db', retired: false } };
    const secrets = { s: { group: 'web', host: 'h3', each: true } };
    const after = fleetOf({ ...world, hosts: more, secrets });
    const plan = resealingFor(before, after, repository.sealed);
    expect(plan.reseal.map((file) => [file.path, sourceOf(file, before)])).toEqual([
      ['secrets/h1/s.age', 'secrets/s.age'],
      ['secrets/h2/s.age', 'secrets/s.age'],
    ]);
    expect(plan.remove).toEqual(['secrets/s.age']);
  });
});

const seed = chooseSeed();

describe(`whatever becomes of a fleet (AUTARK_SEED=${seed})`, () => {
  test.each([
    ['by commands, each of which seals what it changes', false],
    ['by hand, and then rekey', true],
  ])(
    '%s: every file opens with exactly the keys that are asked for, and no other file is touched',
    (_how, byHand) => {
      const chance = seeded(seed);
      const repository = new Repository();
      let world: World = { readers: [keys[0] ?? ''], hosts: {}, secrets: {} };
      let sealings = 0;
      for (let step = 0; step < 150; step += 1) {
        const next = changed(world, chance);
        const [before, after] = [fleetOf(world), fleetOf(next)];
        const asked = new Map(sealedFiles(after).map(({ path, recipients }) => [path, recipients]));
        const untouched = [...repository.opens].filter(
          ([path, recipients]) => asked.get(path)?.join() === recipients.join(),
        );
        const bytes = untouched.map(([path]) => repository.sealed.digests.get(path));
        const plan = byHand
          ? wholeResealing(after, repository.sealed, { removesUndeclared: true })
          : resealingFor(before, after, repository.sealed);
        repository.apply(plan);
        sealings += plan.reseal.length;
        const because = `step ${step}: ${JSON.stringify(next)}`;
        expect(
          untouched.map(([path]) => repository.sealed.digests.get(path)),
          because,
        ).toEqual(bytes);
        for (const [path, recipients] of repository.opens)
          expect(recipients, because).toEqual(asked.get(path));
        const left = differences(after, repository.sealed);
        expect(
          left.filter(({ kind }) => kind !== 'no-value'),
          because,
        ).toEqual([]);
        setAll(after, repository);
        expect(differences(after, repository.sealed), because).toEqual([]);
        world = next;
      }
      expect(sealings).toBeGreaterThan(10);
    },
  );
});
