import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../agent/adapters/clock.ts';
import { fileLocks } from '../../../agent/adapters/lock.ts';
import { bootId, processStart, thisProcess } from '../../../agent/adapters/proc.ts';
import type { Locks } from '../../../agent/ports.ts';
import { patience } from '../../rig/patience.ts';
import { failureOf, scratch, valueOf } from './scratch.ts';

const never = new AbortController().signal;
const atOnce = { timeout: 0, signal: never };
const patient = { timeout: 30_000, signal: never };
let state: string;
let locks: Locks;

beforeEach(() => {
  state = scratch();
  locks = fileLocks(state, 'autark agent', systemClock());
});

const path = (name = 'cycle'): string => join(state, `${name}.lock`);
const holder = (change: object): string =>
  JSON.stringify({ id: 'ab'.repeat(16), ...thisProcess(), what: 'autark rollback', ...change });

describe('a lock', () => {
  test('says who holds it, and is gone once released', async () => {
    const release = valueOf(await locks.acquire('cycle', atOnce));
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
      pid: process.pid,
      started: processStart(process.pid),
      boot: bootId(),
      what: 'autark agent',
    });
    expect(readdirSync(state)).toEqual(['cycle.lock']);
    await release();
    expect(readdirSync(state)).toEqual([]);
    await release();
  });

  test('does not hinder the other one', async () => {
    valueOf(await locks.acquire('cycle', atOnce));
    valueOf(await locks.acquire('daemon', atOnce));
    expect(readdirSync(state).sort()).toEqual(['cycle.lock', 'daemon.lock']);
  });

  test('of a live process is waited for in vain, with its name and what to do', async () => {
    writeFileSync(path('daemon'), holder({}));
    const failure = failureOf(await locks.acquire('daemon', { timeout: 60, signal: never }));
    expect(failure).toEqual({
      kind: 'locked',
      cause: `another autark holds the daemon lock: process ${process.pid} (autark rollback); waited 1 s`,
      where: path('daemon'),
      remedy: `wait until process ${process.pid} has ended, or end it (kill ${process.pid}); then run this again`,
    });
    expect(readdirSync(state)).toEqual(['daemon.lock']);
  });

  test('is had as soon as the holder lets go', async () => {
    const release = valueOf(await locks.acquire('cycle', atOnce));
    const second = locks.acquire('cycle', patient);
    const third = locks.acquire('cycle', patient);
    await release();
    const first = await Promise.race([second, third]);
    await valueOf(first)();
    await valueOf(await second)();
    await valueOf(await third)();
    expect(readdirSync(state)).toEqual([]);
  });

  test('is no longer waited for once the signal aborts', async () => {
    valueOf(await locks.acquire('cycle', atOnce));
    const abort = new AbortController();
    const waiting = locks.acquire('cycle', { timeout: 1e9, signal: abort.signal });
    abort.abort();
    expect(failureOf(await waiting).cause).toMatch(/gave up waiting$/);
    expect(readdirSync(state)).toEqual(['cycle.lock']);
  });

  test('is not waited for when whoever wants it knows better, and each holder is asked about once', async () => {
    const asked: string[] = [];
    const said = { what: 'one cycle' };
    const release = valueOf(await locks.acquire('cycle', atOnce, said));
    const waitsFor = ({ what }: { readonly what: string }): boolean => {
      asked.push(what);
      return what === 'one cycle';
    };
    const waiting = locks.acquire('cycle', patient, { what: 'the next', waitsFor });
    await vi.waitUntil(() => asked.length > 0, patience);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await release();
    const releaseNext = valueOf(await waiting);
    expect(asked).toEqual(['one cycle']);
    const refused = failureOf(await locks.acquire('cycle', patient, { waitsFor }));
    expect(refused.cause).toMatch(/\(the next\); waited 0 s$/);
    expect(asked).toEqual(['one cycle', 'the next']);
    await releaseNext();
    expect(readdirSync(state)).toEqual([]);
  });

  test('is not released when it is somebody else’s by now', async () => {
    const release = valueOf(await locks.acquire('cycle', atOnce));
    rmSync(path());
    writeFileSync(path(), holder({}));
    await release();
    expect(readdirSync(state)).toEqual(['cycle.lock']);
  });

  test('shows nothing of a terminal escape in it', async () => {
    writeFileSync(path(), holder({ what: '\u001b[2Jx' }));
    expect(failureOf(await locks.acquire('cycle', atOnce)).cause).toMatch(/\(x\)/);
  });

  test('makes the folder that it lies in, and says so where there can be none', async () => {
    const inside = fileLocks(join(state, 'new'), 'x', systemClock());
    const release = valueOf(await inside.acquire('cycle', atOnce));
    expect(readdirSync(join(state, 'new'))).toEqual(['cycle.lock']);
    await release();
    writeFileSync(join(state, 'no'), '');
    const failure = failureOf(
      await fileLocks(join(state, 'no'), 'x', systemClock()).acquire('cycle', atOnce),
    );
    expect(failure).toMatchObject({ kind: 'unexpected', where: join(state, 'no/cycle.lock') });
  });
});

describe('a dead holder', () => {
  const dead = 'cd'.repeat(16);
  const taken = async (): Promise<void> => {
    const release = valueOf(await locks.acquire('cycle', atOnce));
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toMatchObject({
      pid: process.pid,
      what: 'autark agent',
    });
    expect(readdirSync(state)).toEqual(['cycle.lock']);
    await release();
    expect(readdirSync(state)).toEqual([]);
  };

  test.each<[string, object]>([
    ['of another boot', { boot: '00000000-0000-4000-8000-000000000000' }],
    ['whose number is free', { pid: 2 ** 22 + 1 }],
    ['whose number another process has now', { started: 1 }],
  ])('%s loses the lock at once', async (_what, change) => {
    writeFileSync(path(), holder(change));
    await taken();
  });

  test('that really died loses it', async () => {
    const child = spawn('sleep', ['1000']);
    const started = processStart(child.pid ?? 0);
    writeFileSync(path(), holder({ pid: child.pid, started }));
    expect(failureOf(await locks.acquire('cycle', atOnce)).kind).toBe('locked');
    child.kill('SIGKILL');
    await once(child, 'exit');
    await taken();
  });

  test.each(['', '{', '{"pid":1}', '\0'.repeat(100)])(
    'of which a power cut left %j loses it',
    async (text) => {
      writeFileSync(path(), text);
      await taken();
    },
  );

  test('that is a link to nowhere loses it', async () => {
    symlinkSync('nowhere', path());
    await taken();
  });

  test('which a taker was removing when it died too loses it', async () => {
    writeFileSync(path(), holder({ id: dead, started: 1 }));
    writeFileSync(path() + `.guard-${dead}`, holder({ id: 'ef'.repeat(16), started: 1 }));
    writeFileSync(path() + `.guard-${'ef'.repeat(16)}`, holder({ id: '01'.repeat(16), started: 1 }));
    await taken();
  });

  test('which a live process is removing is left to that one', async () => {
    writeFileSync(path(), holder({ id: dead, started: 1 }));
    writeFileSync(path() + `.guard-${dead}`, holder({ what: 'the taker' }));
    expect(failureOf(await locks.acquire('cycle', atOnce)).cause).toMatch(/the taker/);
    expect(readdirSync(state).sort()).toEqual(['cycle.lock', `cycle.lock.guard-${dead}`]);
  });

  test('leaves nothing behind: neither guards nor claims', async () => {
    writeFileSync(path() + `.guard-${dead}`, holder({ started: 1 }));
    const claim = join(state, `.cycle.lock.${2 ** 22 + 1}.1.0123456789abcdef.autark-tmp`);
    writeFileSync(claim, holder({ started: 1 }));
    linkSync(claim, path());
    await taken();
  });

  test('is not assumed of a folder that has the name', async () => {
    mkdirSync(path());
    expect(failureOf(await locks.acquire('cycle', atOnce))).toMatchObject({
      kind: 'unexpected',
      where: path(),
    });
  });
});
