import { expect, test } from 'vitest';
import { readLog } from '../../../agent/fleet/log.ts';
import { readFleet } from '../../../agent/fleet/read.ts';
import type { Authority } from '../../../agent/fleet/authority.ts';
import type { Clone, NamedObject } from '../../../agent/clone-ports.ts';
import { ok } from '../../../shared/failure.ts';
import type { Fleet } from '../../../shared/fleet/fleet.ts';
import { objectId } from '../../../shared/objects/object.ts';
import { composeStateCommit } from '../../../shared/record/state-commit.ts';
import { draft } from '../../shared/record/drafts.ts';
import { failureOf } from '../adapters/scratch.ts';
import { cloneWith } from './clones.ts';

const begin = Date.UTC(2027, 0, 1);
const hour = 3_600_000;
const fleet: Fleet = {
  fleet: 'f',
  hosts: new Map(),
  readers: [],
  groups: [],
  secrets: new Map(),
  tooNew: false,
  warnings: [],
};
const introduction = { id: 'e'.repeat(40), isFound: false };
const authority: Authority = { introduction, revision: introduction.id, problem: null, judged: [] };

/** Chains of records, one an hour, and a clone that has them; `asked` is how many names each reading asked for. */
function clonedChains(lengths: Readonly<Record<string, number>>) {
  const objects = new Map<string, NamedObject>();
  const parents = new Map<string, string | null>();
  const states = new Map<string, string>();
  for (const [host, length] of Object.entries(lengths)) {
    let previous: string | null = null;
    for (let seq = 0; seq < length; seq += 1) {
      const at = begin + seq * hour;
      const base = draft();
      const said = { ...base, at, status: { ...base.status, host, seq, at: new Date(at).toISOString() } };
      const place = { genesis: previous, previous, withRevision: false };
      const made = composeStateCommit(said, place, () => 'signature\n');
      const [status, , commit] = made.objects;
      if (status === undefined || commit === undefined) throw new Error('a record has three objects');
      objects.set(made.id, { ...commit, id: made.id });
      objects.set(`${made.id}:status.json`, { ...status, id: objectId(status) });
      parents.set(made.id, previous);
      previous = made.id;
    }
    states.set(host, previous ?? '');
  }
  const asked: number[] = [];
  const clone = cloneWith({
    firstParents: () => Promise.resolve(ok(parents)),
    read(names) {
      asked.push(names.length);
      const found = names.flatMap((name): [string, NamedObject][] => {
        const object = objects.get(name);
        return object === undefined ? [] : [[name, object]];
      });
      return Promise.resolve(ok(new Map(found)));
    },
  });
  const refs = { head: 'f'.repeat(40), states, waiting: new Map() };
  const look = async (from: number) => {
    const read = await readLog(
      clone,
      refs,
      { fleet, authority, earlier: new Map() },
      { hosts: [...states.keys()], from },
    );
    if (!read.ok) throw new Error(read.failure.cause);
    return read.value;
  };
  return { look, asked, objects, states };
}

test('long histories are read in portions, and come out whole', async () => {
  const { look, asked } = clonedChains({ web1: 2500, web2: 3 });
  const { entries, problems } = await look(-Infinity);
  expect(problems).toEqual([]);
  const seqs = (host: string) => entries.filter((entry) => entry.host === host).map(({ seq }) => seq);
  expect(seqs('web1')).toEqual(Array.from({ length: 2500 }, (_, index) => 2499 - index));
  expect(seqs('web2')).toEqual([2, 1, 0]);
  // Two names a commit: far from all 5006 at once.
  expect(Math.max(...asked)).toBeLessThan(2500);
});

test('what is long before the time asked for is not read', async () => {
  const { look, asked } = clonedChains({ web1: 5000 });
  const from = begin + 4990 * hour;
  const { entries } = await look(from);
  expect(entries.filter(({ at }) => Date.parse(at) >= from)).toHaveLength(10);
  expect(asked.reduce((sum, names) => sum + names, 0)).toBeLessThan(6000);
});

test('a record that cannot be read ends its own chain, with a word', async () => {
  const { look, objects, states } = clonedChains({ web1: 4, web2: 4 });
  objects.delete(`${states.get('web1') ?? ''}:status.json`);
  const { entries, problems } = await look(-Infinity);
  expect(entries.map(({ host, seq }) => [host, seq])).toEqual([3, 2, 1, 0].map((seq) => ['web2', seq]));
  expect(problems).toMatchObject([{ cause: 'the tip of state/web1 is not a state record' }]);
});

test('an older fleet.yaml is looked for among few commits', async () => {
  const head = 'f'.repeat(40);
  const limits: (number | undefined)[] = [];
  const firstParents: Clone['firstParents'] = (_tips, range) => {
    limits.push(range?.limit);
    return Promise.resolve(ok(new Map([[head, null]])));
  };
  const remembered = { introduction: head, authentic: head, seen: new Map() };
  const memory = { load: () => Promise.resolve(remembered), save: () => Promise.resolve() };
  const clone = cloneWith({ read: () => Promise.resolve(ok(new Map())), firstParents, memory });
  failureOf(await readFleet(clone, { head, states: new Map(), waiting: new Map() }));
  expect(limits).toEqual([100]);
});
