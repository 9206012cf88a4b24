import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openPrograms } from '../../agent/adapters/process.ts';
import { bootId, processStart, processStat } from '../../agent/adapters/proc.ts';
import type { Order } from '../../agent/ports.ts';
import { fail, ok } from '../../shared/failure.ts';
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

test('a program gets its arguments unharmed, nothing of our environment, and no input', async () => {
  process.env['AUTARK_TEST_LEAK'] = 'x';
  const script = 'printf "<%s>\\n" "$@"; env; cat; pwd';
  const args = ['a b', '$(touch evil)', '; exit 3', "'", '-n', ''];
  const ran = await programs.run(
    await order(script, { args, env: { PATH: '/usr/bin:/bin', ONE: '1 2' } }),
    bounds(),
  );
  delete process.env['AUTARK_TEST_LEAK'];
  expect(ran.ending).toEqual({ how: 'exited', code: 0 });
  const lines = ran.tail.trimEnd().split('\n');
  expect(lines.slice(0, 6)).toEqual(['<a b>', '<$(touch evil)>', '<; exit 3>', "<'>", '<-n>', '<>']);
  expect(lines).toContain('ONE=1 2');
  expect(lines.at(-1)).toBe(folder);
  expect(ran.tail).not.toContain('AUTARK_TEST_LEAK');
  expect(lines.filter((line) => line.startsWith('HOME='))).toEqual([]);
});

test('both streams come in the order in which they were written', async () => {
  const ran = await programs.run(
    await order('for i in 1 2 3 4; do echo o$i; echo e$i >&2; done; exit 7'),
    bounds(),
  );
  expect(ran).toEqual({ ending: { how: 'exited', code: 7 }, tail: 'o1\ne1\no2\ne2\no3\ne3\no4\ne4\n' });
});

test('the tail is the last 8 KiB, begins at a line, and holds no escapes', async () => {
  const script = `i=0; while [ $i -lt 3000 ]; do echo "line $i"; i=$((i+1)); done; printf '\\033]0;title\\007\\033[31mred\\033[0m\\r\\n\\0end\\n'`;
  const { tail } = await programs.run(await order(script), bounds());
  expect(tail.length).toBeLessThanOrEqual(8192);
  expect(tail.length).toBeGreaterThan(8000);
  expect(tail).toMatch(/^line \d+\n/);
  expect(tail.endsWith('line 2999\nred\nend\n')).toBe(true);
});

test('the program begins only once its start is recorded, and is the process that was recorded', async () => {
  const steps: string[] = [];
  const ran = await programs.run(
    await order('echo began > began; echo $$; read -r x < /proc/$$/stat; echo "$x"', {
      onStart: async (child) => {
        expect(child.boot).toBe(bootId());
        expect(processStart(child.pid)).toBe(child.started);
        expect(processStat(child.pid)?.group).toBe(child.pid);
        await expect(readFile(join(folder, 'began'))).rejects.toThrow();
        steps.push(String(child.pid));
        return ok(undefined);
      },
    }),
    bounds(),
  );
  expect(ran.tail.split('\n')[0]).toBe(steps[0]);
});

test('a start that cannot be recorded is none', async () => {
  const failure = { kind: 'no-space', cause: 'the disk is full', remedy: 'make room' } as const;
  const onStart: Order['onStart'] = (child) => {
    started.push(child.pid);
    return Promise.resolve(fail(failure));
  };
  const ran = await programs.run(await order('touch began', { onStart }), bounds());
  expect(ran.ending).toEqual({ how: 'unstartable', reason: 'the disk is full; make room' });
  expect(members()).toEqual([]);
  await expect(readFile(join(folder, 'began'))).rejects.toThrow();
});

test('a recorder that throws leaves no process behind', async () => {
  const onStart: Order['onStart'] = (child) => {
    started.push(child.pid);
    return Promise.reject(new Error('a bug'));
  };
  await expect(programs.run(await order('touch began', { onStart }), bounds())).rejects.toThrow('a bug');
  expect(members()).toEqual([]);
});

test('a timeout ends the whole group, also who ignores SIGTERM', async () => {
  const script = `trap '' TERM; (trap '' TERM; sleep 1000; sleep 1000) & echo ready; sleep 1000; sleep 1000`;
  const ran = await programs.run(await order(script), bounds(3000));
  expect(ran).toEqual({ ending: { how: 'timeout' }, tail: 'ready\n' });
  expect(members()).toEqual([]);
});

test('SIGTERM comes first, and its last words are heard', async () => {
  const ran = await programs.run(
    await order(`trap 'echo bye; exit 0' TERM; sleep 1000 & wait`),
    bounds(3000),
  );
  expect(ran).toEqual({ ending: { how: 'timeout' }, tail: 'bye\n' });
});

test('a flood is ended, and nothing of it is left', async () => {
  const ran = await programs.run(await order('(yes | cat) & exec yes', { outputCap: 100_000 }), bounds());
  expect(ran.ending).toEqual({ how: 'flooded' });
  expect(members()).toEqual([]);
});

test('exactly the cap is no flood', async () => {
  const exact = await programs.run(await order('head -c 5000 /dev/zero', { outputCap: 5000 }), bounds());
  expect(exact.ending).toEqual({ how: 'exited', code: 0 });
  const more = await programs.run(
    await order('head -c 5001 /dev/zero; sleep 1000', { outputCap: 5000 }),
    bounds(),
  );
  expect(more.ending).toEqual({ how: 'flooded' });
});

test('a signal ends it, also before it began', async () => {
  const stop = new AbortController();
  const late = await programs.run(
    await order('sleep 1000', {
      onStart: (child) => {
        started.push(child.pid);
        stop.abort();
        return Promise.resolve(ok(undefined));
      },
    }),
    bounds(30_000, stop.signal),
  );
  expect(late.ending).toEqual({ how: 'aborted' });
  expect(members()).toEqual([]);
  const early = await programs.run(await order('touch began'), bounds(30_000, AbortSignal.abort()));
  expect(early.ending).toEqual({ how: 'aborted' });
  await expect(readFile(join(folder, 'began'))).rejects.toThrow();
});

test('a recorder that hangs does not outlive the bounds', async () => {
  const onStart: Order['onStart'] = (child) => {
    started.push(child.pid);
    return new Promise(() => undefined);
  };
  const ran = await programs.run(await order('touch began', { onStart }), bounds(100));
  expect(ran.ending).toEqual({ how: 'timeout' });
  expect(members()).toEqual([]);
});

test('who holds the pipes in the background is ended with a build', async () => {
  const ran = await programs.run(await order(`(trap '' TERM; sleep 1000) & echo done`), bounds());
  expect(ran).toEqual({ ending: { how: 'exited', code: 0 }, tail: 'done\n' });
  expect(members()).toEqual([]);
  await programs.run(await order('sleep 1000 >/dev/null 2>&1 & exit 0'), bounds());
  expect(members()).toEqual([]);
});

test('what an activation leaves behind lives on, and is not waited for', async () => {
  const ran = await programs.run(await order('sleep 1000 & echo done', { leftovers: 'leave' }), bounds());
  expect(ran).toEqual({ ending: { how: 'exited', code: 0 }, tail: 'done\n' });
  expect(members()).toHaveLength(1);
});

test('a signal of its own is told apart from an exit', async () => {
  const ran = await programs.run(await order('kill -SEGV $$'), bounds());
  expect(ran.ending).toEqual({ how: 'signalled', signal: 'SIGSEGV' });
});

test('what cannot be started says why', async () => {
  const plain = join(folder, 'plain');
  await writeFile(plain, 'text');
  const why = async (more: Partial<Order>) => (await programs.run(await order('', more), bounds())).ending;
  expect(await why({ file: join(folder, 'none') })).toEqual({
    how: 'unstartable',
    reason: `there is no program ${join(folder, 'none')}`,
  });
  expect(await why({ file: plain })).toEqual({ how: 'unstartable', reason: `${plain} is not executable` });
  expect(await why({ file: folder })).toEqual({
    how: 'unstartable',
    reason: `${folder} is a folder, not a program`,
  });
  expect(await why({ cwd: join(folder, 'none') })).toMatchObject({ how: 'unstartable' });
  expect(await why({ args: ['x'.repeat(200_000)] })).toMatchObject({
    how: 'unstartable',
    reason: expect.stringContaining('E2BIG') as string,
  });
  expect(started).toEqual([]);
});

test('a missing interpreter is an exit with the reason in the tail', async () => {
  const file = join(folder, 'odd');
  await writeFile(file, '#!/no/such/interpreter\n');
  await chmod(file, 0o755);
  const ran = await programs.run(await order('', { file }), bounds());
  expect(ran.ending).toMatchObject({
    how: 'exited',
    code: expect.toSatisfy((code) => code === 126 || code === 127) as number,
  });
  expect(ran.tail).toContain('not found');
});

test('a program that speaks to programs has its lines taken, and its output apart', async () => {
  const lines: string[] = [];
  const script = 'echo answer; printf "one\\ntwo" >&2; echo " and more" >&2; printf unfinished >&2';
  const ran = await programs.run(await order(script, { onLine: (line) => lines.push(line) }), bounds());
  expect(ran).toEqual({ ending: { how: 'exited', code: 0 }, stdout: 'answer\n', tail: '' });
  expect(lines).toEqual(['one', 'two and more']);
});
