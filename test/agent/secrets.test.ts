import { expect, test } from 'vitest';
import type { Context } from '../../agent/context.ts';
import { noticeSecrets } from '../../agent/secrets.ts';
import { ok } from '../../shared/failure.ts';

/** A host that runs with the set `a`, which is placed, and what was done there. */
function hostWith(
  owes: boolean,
  journal: object = {},
  problems: readonly string[] = [],
): { readonly context: Context; readonly did: string[] } {
  const did: string[] = [];
  const noted = <Value>(what: string, value: Value) => {
    did.push(what);
    return Promise.resolve(value);
  };
  const secrets = {
    placed: () => Promise.resolve('a'),
    owesTelling: () => Promise.resolve(owes),
    owesMending: () => Promise.resolve(problems.length > 0),
    kept: () => Promise.resolve(ok({ id: 'a', held: [] })),
    mend: () => Promise.resolve(problems),
    place: () => noted('place', ok({ missing: [], problems: [] })),
    tellUnits: () => noted('tell', ok(undefined)),
  };
  const context = {
    memory: {
      journal: {
        ...{ host: 'web1', standing: null, running: { secrets: 'a' }, unproved: null, drift: null },
        phase: { at: 'idle' },
        ...journal,
      },
      hold: () => noted('hold', ok(undefined)),
      write: (change: object) => noted(`write ${JSON.stringify(change)}`, ok(undefined)),
    },
    effects: () => ({ secrets, machine: { facts: () => Promise.resolve({ boot: 'b' }) } }),
    senses: { log: () => undefined },
    signal: new AbortController().signal,
  };
  return { context: context as unknown as Context, did };
}

test('what the watchdog placed, which tells nobody, is told to units by the next cycle', async () => {
  const { context, did } = hostWith(true);
  expect(await noticeSecrets(context)).toEqual(ok(undefined));
  expect(did).toEqual(['hold', 'tell']);
});

test('what runs is asked again once the lock is had: a rollback may have had it until then', async () => {
  const { context, did } = hostWith(true);
  const hold = () => {
    Object.assign(context.memory.journal, { running: null });
    return Promise.resolve(ok(undefined));
  };
  Object.assign(context.memory, { hold });
  expect(await noticeSecrets(context)).toEqual(ok(undefined));
  expect(did).toEqual([]);
});

test('where nothing is left to tell, nothing is done', async () => {
  const { context, did } = hostWith(false);
  expect(await noticeSecrets(context)).toEqual(ok(undefined));
  expect(did).toEqual([]);
});

const well = { event: 'deployed', code: 0, cause: '' };
const lookAgain = 'write {"standing":null}';

test('what is wrong by now and was recorded as well, or the other way round, has the head looked at again', async () => {
  const wrong = hostWith(false, { standing: well }, ['/etc/a is not linked']);
  await noticeSecrets(wrong.context);
  expect(wrong.did).toContain(lookAgain);
  const mended = hostWith(false, { standing: { ...well, code: 62, cause: '/etc/a is not linked' } });
  await noticeSecrets(mended.context);
  expect(mended.did).toContain(lookAgain);
});

test.each([
  ['the record says so already', { standing: { ...well, code: 62, cause: '/etc/a is not linked' } }],
  ['the record has a worse failure', { standing: { ...well, code: 40, cause: 'it failed' } }],
  ['something else is only tried', { standing: well, running: { secrets: 'a', testedIn: 'b' } }],
])('where %s, the head is not looked at again for it', async (_, journal) => {
  const { context, did } = hostWith(false, journal, ['/etc/a is not linked']);
  await noticeSecrets(context);
  expect(did).toEqual(['hold', 'tell']);
});
