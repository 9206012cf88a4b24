import { expect, test } from 'vitest';
import { hasSuccessor } from '../../agent/succession.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';

const silent: Failure = { kind: 'unexpected', cause: 'systemd does not say', remedy: 'ask again' };

/** An agent that was begun by the unit of a NixOS system. */
const asked = (replaced: Result<boolean>, isSettled: boolean, isItsOwn: boolean): Promise<boolean> =>
  hasSuccessor(
    {
      agentFiles: { running: () => Promise.resolve(null), current: () => Promise.resolve(ok(null)) },
      agentUnit: { isReplaced: () => Promise.resolve(replaced) },
    },
    { isSettled, isItsOwn: () => Promise.resolve(isItsOwn) },
  );

test('an agent gives way to the one that the confirmed system names', async () => {
  expect(await asked(ok(true), true, true)).toBe(true);
});

test.each<[string, Result<boolean>, boolean, boolean]>([
  ['the unit names this one', ok(false), true, true],
  ['systemd does not say which it would begin', fail(silent), true, true],
  ['something is half done, or waits for a reboot', ok(true), false, true],
  [
    'nobody has confirmed what runs: it is tried, uncertain, or was switched to by hand',
    ok(true),
    true,
    false,
  ],
])('nobody takes its place while %s', async (_what, replaced, isSettled, isItsOwn) => {
  expect(await asked(replaced, isSettled, isItsOwn)).toBe(false);
});
