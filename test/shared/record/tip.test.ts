import { describe, expect, test } from 'vitest';
import {
  checkRecord,
  type Found,
  type Pinned,
  readRecord,
  revisionParent,
  signatureProblem,
} from '../../../shared/record/tip.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';
import { deployed, draft, failure, revision } from './drafts.ts';
import { found, pinned, place, rewritten, theirs } from './found.ts';

const status = (change: (text: string) => string, of = found()): Found => ({
  ...of,
  statusText: change(of.statusText),
});
const cause = (of: Found, by: Pinned = pinned): string => failureOf(checkRecord(of, by)).cause;

describe('a good tip', () => {
  test('is what the host made, whatever happened', () => {
    const record = valueOf(checkRecord(found(), pinned));
    expect(record).toMatchObject({ seq: 118, event: 'deployed', code: 0, revision, generation: 42 });
    for (const event of ['failed', 'held', 'rolled-back', 'unchanged', 'alive'] as const) {
      const of = found(draft({ ...deployed, event, failure }));
      expect(valueOf(checkRecord(of, pinned)), event).toMatchObject({ event, attempted: revision });
    }
  });

  test('needs no second parent, and nothing that runs', () => {
    valueOf(checkRecord(found(draft(), { at: { ...place, withRevision: false } }), pinned));
    const nothing = draft({ ...deployed, event: 'held', running: null, failure });
    expect(valueOf(checkRecord(found(nothing), pinned))).not.toHaveProperty('revision');
  });

  test('of a host invited by its key alone may have any genesis', () => {
    const { fleet, host, key } = pinned;
    valueOf(checkRecord(found(draft(), { at: { ...place, genesis: 'c'.repeat(40) } }), { fleet, host, key }));
  });

  test('may be the genesis itself, if it is the pinned one', () => {
    const made = draft({ event: 'enrolled', running: null });
    const first = found(
      { ...made, status: { ...made.status, seq: 0 } },
      { at: { ...place, genesis: null, previous: null } },
    );
    valueOf(checkRecord(first, { ...pinned, genesis: first.id }));
    expect(cause(first)).toMatch(/the genesis is/);
  });
});

describe('a first record that names the machine before', () => {
  const older = 'd'.repeat(40);
  const of = (seq: number, replaces?: string): ReturnType<typeof draft> => {
    const made = draft();
    return { ...made, status: { ...made.status, seq }, ...(replaces === undefined ? {} : { replaces }) };
  };

  test('has its tip as the second parent, and the revision after that, if any', () => {
    const made = found(of(1, older));
    expect(made.commit.parents).toEqual([place.previous, older, revision]);
    const record = valueOf(checkRecord(made, pinned));
    expect(record.replaces).toBe(older);
    expect(revisionParent(made.commit, record)).toBe(revision);
    const apart = found(of(1, older), { at: { ...place, withRevision: false } });
    expect(apart.commit.parents).toEqual([place.previous, older]);
    expect(revisionParent(apart.commit, valueOf(checkRecord(apart, pinned)))).toBeUndefined();
  });

  test.each<[string, Found, RegExp]>([
    ['at another number', found(of(2, older)), /Autark-Replaces is d{40}, not absent/],
    [
      'with another tip than its parent',
      rewritten((text) => text.replace(`parent ${older}`, `parent ${'e'.repeat(40)}`), found(of(1, older))),
      /Autark-Replaces is d{40}, not e{40}/,
    ],
    [
      'without the parent',
      rewritten(
        (text) => text.replace(`parent ${older}\n`, '').replace(`parent ${revision}\n`, ''),
        found(of(1, older)),
      ),
      /Autark-Replaces is d{40}, not absent/,
    ],
    [
      'with another revision than the one it says',
      rewritten(
        (text) => text.replace(`parent ${revision}`, `parent ${'e'.repeat(40)}`),
        found(of(1, older)),
      ),
      /the third parent is e{40}/,
    ],
    [
      'whose trailer was left out',
      rewritten((text) => text.replace(/Autark-Replaces: .*\n/, ''), found(of(1, older))),
      /the second parent is d{40}/,
    ],
  ])('%s is not good', (_what, made, why) => {
    expect(cause(made)).toMatch(why);
  });
});

describe('not good is', () => {
  const tampered: [string, Found, Pinned, RegExp][] = [
    ['another key', found(draft(), { key: theirs }), pinned, /state commit is not good/],
    ['another namespace', found(draft(), { namespace: 'file' }), pinned, /made for “file”/],
    ['a pinned key of rubbish', found(), { ...pinned, key: 'rubbish' }, /the host's key cannot be read/],
    ['another fleet', found(), { ...pinned, fleet: 'f2' }, /Autark-Fleet/],
    ['another host', found(), { ...pinned, host: 'web2' }, /Autark-Host/],
    ['another genesis', found(), { ...pinned, genesis: 'c'.repeat(40) }, /the genesis is/],
    [
      'another seq in the trailer',
      rewritten((text) => text.replace('Autark-Seq: 118', 'Autark-Seq: 119')),
      pinned,
      /Autark-Seq/,
    ],
    [
      'another event in the trailer',
      rewritten((text) => text.replace('Autark-Event: deployed', 'Autark-Event: alive')),
      pinned,
      /Autark-Event/,
    ],
    [
      'another revision in the trailer',
      rewritten((text) => text.replace(/Autark-Revision: ../, 'Autark-Revision: 00')),
      pinned,
      /Autark-Revision/,
    ],
    [
      'a second parent that is not what runs',
      rewritten((text) => text.replace(`parent ${revision}`, `parent ${'9'.repeat(40)}`)),
      pinned,
      /second parent/,
    ],
    [
      'no genesis trailer',
      rewritten((text) => text.replace(/Autark-Genesis: .*\n/, '')),
      pinned,
      /the genesis is absent/,
    ],
    ['no trailers', rewritten((text) => `${text}\nmore text\n`), pinned, /is absent/],
    [
      'another fleet in the status',
      status((text) => text.replace('"fleet": "0f9c"', '"fleet": "f2"')),
      pinned,
      /fleet in status\.json/,
    ],
    [
      'another host in the status',
      status((text) => text.replace('"host": "web1"', '"host": "web2"')),
      pinned,
      /host in status\.json/,
    ],
    [
      'another seq in the status',
      status((text) => text.replace('"seq": 118', '"seq": 119')),
      pinned,
      /Autark-Seq/,
    ],
    ['no status', status(() => ''), pinned, /status\.json cannot be read/],
    [
      'a status of a later format',
      status((text) => text.replace('"format": 1', '"format": 2')),
      pinned,
      /upgrade autark/,
    ],
    [
      'a status without its outcome',
      status((text) => text.replace('"outcome"', '"outcom"')),
      pinned,
      /status\.json cannot be read: outcome/,
    ],
  ];
  test.each(tampered)('%s', (_what, of, by, why) => {
    const failed = failureOf(checkRecord(of, by));
    expect(failed).toMatchObject({ kind: 'not-authentic', where: of.id });
    expect(failed.cause).toMatch(why);
  });

  test('one that is not signed, or whose signature is of something else', () => {
    const { gpgsig, ...unsigned } = found().commit;
    expect(gpgsig).toBeDefined();
    expect(cause({ ...found(), commit: unsigned })).toMatch(/not signed/);
    const changed = Buffer.from(
      Buffer.from(found().bytes).toString().replace('generation 42', 'generation 43'),
    );
    expect(signatureProblem({ commit: found().commit, bytes: changed }, pinned)).toBeDefined();
    expect(signatureProblem(found(), pinned)).toBeUndefined();
  });

  test('but can still be read, by those who only want to show it', () => {
    expect(valueOf(readRecord(found(draft(), { key: theirs })))).toMatchObject({
      seq: 118,
      event: 'deployed',
    });
  });
});
