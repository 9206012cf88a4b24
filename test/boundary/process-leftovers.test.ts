import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openPrograms } from '../../agent/adapters/process.ts';
import { bootId, processStart, processStat } from '../../agent/adapters/proc.ts';
import { ok } from '../../shared/failure.ts';
import { patience } from '../rig/patience.ts';
import { built, runModule } from './children.ts';
import { bounds, makeScripts, type Scripts } from './scripts.ts';

const programs = openPrograms({ grace: 300, drain: 200 });
let scripts: Scripts;
let folder: string;
let started: number[];
const order: Scripts['order'] = (script, more) => scripts.order(script, more);
const members = (): number[] => scripts.members();

beforeEach(async () => {
  scripts = await makeScripts();
  ({ folder, started } = scripts);
});

afterEach(() => scripts.remove());

test('an agent that is killed between the spawn and its record leaves nothing running', async () => {
  const marker = join(folder, 'program-ran');
  const agent = `
    import { openPrograms } from ${built('process')};
    await openPrograms().run({
      file: '/bin/touch', args: [process.argv[1]], cwd: '/', env: {}, outputCap: 1e6, leftovers: 'end',
      onStart: async (child) => { console.log(child.pid); await new Promise(() => undefined); },
    }, { timeout: 1e6, signal: new AbortController().signal });`;
  const pid = await new Promise<number>((resolve, reject) => {
    const { child, ended } = runModule(agent, [marker], (line) => {
      expect(processStat(Number(line))?.group).toBe(Number(line));
      child.kill('SIGKILL');
      resolve(Number(line));
    });
    void ended.then(() => {
      reject(new Error('the small agent ended by itself'));
    });
  });
  started.push(pid);
  await vi.waitFor(() => {
    expect(members()).toEqual([]);
  }, patience);
  await expect(access(marker)).rejects.toThrow();
});

test('a leftover is ended with its group, and nobody else is', async () => {
  const script = `trap '' TERM; (trap '' TERM; sleep 1000) & echo > ready; sleep 1000`;
  const stop = new AbortController();
  const ran = openPrograms({ grace: 60_000, drain: 100 }).run(
    await order(script),
    bounds(60_000, stop.signal),
  );
  await vi.waitFor(() => readFileSync(join(folder, 'ready')), patience);
  const pid = started[0] ?? 0;
  const child = { pid, started: processStart(pid) ?? 0, boot: bootId() };
  await programs.endLeftover({ ...child, boot: 'another' });
  await programs.endLeftover({ ...child, started: child.started + 1 });
  await programs.endLeftover({ ...child, started: child.started - 1 });
  expect(members().length).toBeGreaterThan(1);
  await programs.endLeftover(child);
  expect(members()).toEqual([]);
  expect((await ran).ending).toEqual({ how: 'signalled', signal: 'SIGKILL' });
  await programs.endLeftover(child);
});

test('a leftover whose leader has gone is still found by its group', async () => {
  let child = { pid: 0, started: 0, boot: '' };
  await programs.run(
    await order('(exec >/dev/null 2>&1; sleep 1000) & exit 0', {
      leftovers: 'leave',
      onStart: (begun) => {
        child = begun;
        started.push(begun.pid);
        return Promise.resolve(ok(undefined));
      },
    }),
    bounds(),
  );
  expect(members()).toHaveLength(1);
  // Had the number been given out anew, all of that group would be younger or older than what we started.
  await programs.endLeftover({ ...child, started: child.started + 1_000_000 });
  expect(members()).toHaveLength(1);
  await programs.endLeftover(child);
  expect(members()).toEqual([]);
});
