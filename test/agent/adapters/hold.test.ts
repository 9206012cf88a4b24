import { chmodSync, chownSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileHolds } from '../../../agent/adapters/hold.ts';
import type { Hold } from '../../../shared/cycle/hold.ts';
import { damage } from './damage.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';
import { describeWith } from '../../rig/needs.ts';

const hold: Hold = { reason: 'disk swap', since: 1_767_225_600_000, by: 'hold' };

describe('the hold on disk', () => {
  test('comes back as it was saved, replaced or not, and whoever the agent is can read it', async () => {
    const state = scratch();
    const holds = fileHolds(state);
    valueOf(await holds.save(hold));
    const second: Hold = { ...hold, until: hold.since + 1, by: 'rollback' };
    valueOf(await holds.save(second));
    expect(valueOf(await fileHolds(state).load())).toEqual(second);
    expect(statSync(join(state, 'hold.json')).mode & 0o7777).toBe(0o644);
  });

  test('is null only when nothing is there, before or after', async () => {
    const holds = fileHolds(scratch());
    expect(valueOf(await holds.load())).toBeNull();
    valueOf(await holds.remove());
    valueOf(await holds.save(hold));
    valueOf(await holds.remove());
    expect(valueOf(await holds.load())).toBeNull();
  });

  test.each(damage)('is held when it is %s (P4)', async (_what, spoil) => {
    const state = scratch();
    spoil(join(state, 'hold.json'));
    const failure = failureOf(await fileHolds(state).load());
    expect(failure.kind).toBe('held');
    expect(failure.remedy).toMatch(/autark resume/);
  });

  test('is not believed when others may write to it or to its folder, and can be removed then', async () => {
    for (const part of ['hold.json', '.']) {
      const state = scratch();
      const holds = fileHolds(state);
      valueOf(await holds.save(hold));
      chmodSync(join(state, part), 0o777);
      const failure = failureOf(await holds.load());
      expect(failure.kind).toBe('held');
      expect(failure.cause).toMatch(/somebody else could have written it: others may write to .*mode 0777/);
      expect(failure.remedy).toMatch(/autark resume/);
      valueOf(await holds.remove());
      expect(existsSync(join(state, 'hold.json'))).toBe(false);
      expect(valueOf(await holds.load())).toBeNull();
    }
  });

  test('cannot be saved where there is no folder', async () => {
    expect(failureOf(await fileHolds(join(scratch(), 'none')).save(hold)).kind).toBe('unexpected');
  });
});

describeWith(['root'], 'a hold of another user', () => {
  test('is not believed', async () => {
    const state = scratch();
    const holds = fileHolds(state);
    valueOf(await holds.save(hold));
    chownSync(join(state, 'hold.json'), 65534, 65534);
    expect(failureOf(await holds.load()).cause).toMatch(/belongs to the user 65534/);
  });
});
