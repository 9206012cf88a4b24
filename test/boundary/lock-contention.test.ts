import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../agent/adapters/clock.ts';
import { fileLocks } from '../../agent/adapters/lock.ts';
import { chooseSeed, scratch, seeded, valueOf } from '../agent/adapters/scratch.ts';
import { built, runModule, type Spawned } from './children.ts';

/**
 * Six claimants that take the lock again and again. Whoever has it puts a witness of its own beside it and
 * looks whether another living process, or another claimant, has one there. Instead of releasing, most leave the
 * lock as somebody who died long ago would have, so that nearly every taking is a taking over.
 */
const claimant = `
  import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
  import { randomBytes } from 'node:crypto';
  import { systemClock } from ${built('clock')};
  import { fileLocks } from ${built('lock')};
  const [, state, witnesses] = process.argv;
  const locks = fileLocks(state, 'contender', systemClock());
  const bounds = { timeout: 1e9, signal: new AbortController().signal };
  const isAlive = (pid) => {
    try {
      return !/\\) [ZX] /.test(readFileSync('/proc/' + pid + '/stat', 'latin1'));
    } catch {
      return false;
    }
  };
  async function contend(me) {
    for (;;) {
      const taken = await locks.acquire('cycle', bounds);
      if (!taken.ok) throw new Error(JSON.stringify(taken));
      mkdirSync(witnesses + '/' + me);
      for (let turn = Math.random() * 3; turn > 0; turn -= 1) await new Promise(setImmediate);
      const others = readdirSync(witnesses).filter((name) => name !== me && isAlive(name.split('-')[0]));
      process.stdout.write(others.length === 0 ? 'held\\n' : 'violated ' + me + ' by ' + others + '\\n');
      rmdirSync(witnesses + '/' + me);
      if (Math.random() < 0.2) await taken.value();
      else {
        const id = randomBytes(16).toString('hex');
        writeFileSync(state + '/dead-' + me, JSON.stringify({ id, pid: 1, started: 1, boot: 'past', what: 'dead' }));
        renameSync(state + '/dead-' + me, state + '/cycle.lock');
      }
    }
  }
  for (let index = 0; index < 6; index += 1) void contend(process.pid + '-' + index);`;

test('no two ever hold one lock, while holders and takers are killed everywhere', async () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const [state, witnesses] = [scratch(), scratch()];
  const violations: string[] = [];
  let held = 0;
  let kills = 0;
  const contenders: Spawned[] = [];
  await new Promise<void>((resolve) => {
    const begin = (): void => {
      let untilKill = 20 + Math.floor(random() * 60);
      const contender = runModule(claimant, [state, witnesses], (line) => {
        if (line === 'held') held += 1;
        else violations.push(line);
        untilKill -= 1;
        if (untilKill === 0) contender.child.kill('SIGKILL');
      });
      contenders.push(contender);
      void contender.ended.then(() => {
        kills += 1;
        if (kills < 12) begin();
        else resolve();
      });
    };
    for (let index = 0; index < 4; index += 1) begin();
  });
  for (const { child } of contenders) child.kill('SIGKILL');
  await Promise.all(contenders.map(({ ended }) => ended));

  expect(violations, `seed ${seed}`).toEqual([]);
  expect(held, `seed ${seed}`).toBeGreaterThan(12 * 20 - 1);
  const bounds = { timeout: 0, signal: new AbortController().signal };
  await valueOf(await fileLocks(state, 'last', systemClock()).acquire('cycle', bounds))();
  expect(readdirSync(state).filter((name) => !name.startsWith('dead-'))).toEqual([]);
  expect(readdirSync(join(witnesses)).length).toBeLessThan(12 * 6);
});
