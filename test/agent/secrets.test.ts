import { expect, test } from 'vitest';
import type { Context } from '../../agent/context.ts';
import { noticeSecrets } from '../../agent/secrets.ts';
import { ok } from '../../shared/failure.ts';

/** A host that runs with the set `a`, which is placed, and what was done there. */
function hostWith(owes: boolean): { readonly context: Context; readonly did: string[] } {
  const did: string[] = [];
  const noted = <Value>(what: string, value: Value) => {
    did.push(what);
    return Promise.resolve(value);
  };
  const secrets = {
    placed: () => Promise.resolve('a'),
    owesTelling: () => Promise.resolve(owes),
    place: () => noted('place', ok({ missing: [], problems: [] })),
    tellUnits: () => noted('tell', ok(undefined)),
  };
  const context = {
    memory: {
      journal: { host: 'web1', standing: null, running: { secrets: 'a' }, unproved: null, drift: null },
      hold: () => noted('hold', ok(undefined)),
    },
    effects: () => ({ secrets }),
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

test('where nothing is left to tell, nothing is done', async () => {
  const { context, did } = hostWith(false);
  expect(await noticeSecrets(context)).toEqual(ok(undefined));
  expect(did).toEqual([]);
});
