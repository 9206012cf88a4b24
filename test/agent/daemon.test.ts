import { expect, test } from 'vitest';
import { type CycleReport, runDaemon } from '../../agent/daemon.ts';
import type { AgentEvent } from '../../shared/event.ts';
import { type Failure, fail, ok, type Result } from '../../shared/failure.ts';

const report: CycleReport = { fleet: 'f', host: 'web1', interval: 60_000, code: 0, next: 'wait' };
const failure = (kind: Failure['kind']): Result<CycleReport> => fail({ kind, cause: 'c', remedy: 'r' });

/** Runs these cycles, one after the other, and then is told to stop: the waits in between, in milliseconds. */
async function waits(
  cycles: readonly (Partial<CycleReport> | Result<CycleReport>)[],
  fraction = 0,
): Promise<{ waits: number[]; code: number; ran: number; logged: AgentEvent[] }> {
  const ending = new AbortController();
  const found: number[] = [];
  const logged: AgentEvent[] = [];
  let ran = 0;
  let isBusy = false;
  const code = await runDaemon({
    signal: ending.signal,
    clock: { now: () => 0, awake: () => 0 },
    random: { id: () => '', fraction: () => fraction },
    log: (event) => logged.push(event),
    bell: {
      next: () => Promise.resolve(),
      request: () => undefined,
      nextWithin: (ms) => {
        expect(isBusy).toBe(false);
        found.push(ms);
        if (ran >= cycles.length) ending.abort();
        return Promise.resolve();
      },
    },
    runCycle: async () => {
      // Single flight.
      expect(isBusy).toBe(false);
      isBusy = true;
      await new Promise((resolve) => setImmediate(resolve));
      isBusy = false;
      const cycle = cycles[ran] ?? {};
      ran += 1;
      return 'ok' in cycle ? cycle : ok({ ...report, ...cycle });
    },
  });
  return { waits: found, code, ran, logged };
}

test('the first cycle comes at once, and each wait is at most an interval and its jitter', async () => {
  const { waits: found, ran, code } = await waits([{}, {}, {}]);
  expect([ran, found.length, code]).toEqual([3, 3, 0]);
  for (const wait of found) expect(wait).toBeLessThanOrEqual(63_000);
});

test('the pace is that of the newest cycle', async () => {
  const found = (await waits([{ interval: 1000 }, { interval: 3_600_000 }], 0)).waits;
  expect(found[0]).toBeLessThanOrEqual(1050);
  expect(found[1]).toBeGreaterThan(1050);
});

test('a newer revision is taken on without any wait', async () => {
  const found = await waits([{ next: 'again' }, { next: 'again' }, {}]);
  expect([found.ran, found.waits.length]).toEqual([3, 1]);
});

test.each([0, 13])('a host with nothing left to do ends with its code %d', async (code) => {
  const found = await waits([{}, { next: 'stop', code }, {}]);
  expect([found.code, found.ran, found.waits.length]).toEqual([code, 2, 1]);
});

test('faults of the world back off further each time, and one good cycle forgets them', async () => {
  const retry = { next: 'retry', code: 50 } as const;
  const found = (await waits([retry, retry, retry, {}, retry], 0.999_999)).waits;
  expect(found.map((wait) => Math.round(wait / 1000))).toEqual([120, 240, 480, expect.any(Number), 120]);
});

test('a judgement does not back off: it waits for the next poll', async () => {
  for (const code of [10, 20, 21, 30, 40])
    expect((await waits([{ code }, { code }, { code }], 0.999)).waits.every((wait) => wait <= 63_000)).toBe(
      true,
    );
});

test('what stands until a time is looked at then, when that is before the next poll', async () => {
  expect((await waits([{ interval: 3_600_000, until: 5000 }])).waits).toEqual([5000]);
  const [usual] = (await waits([{ interval: 3_600_000 }])).waits;
  // One that is over, and a fault of the world, which stands for no time at all.
  expect((await waits([{ interval: 3_600_000, until: 0 }])).waits).toEqual([usual]);
  expect((await waits([{ interval: 3_600_000, until: 1e13 }])).waits).toEqual([usual]);
});

test('a cycle that could not even begin is said, and the daemon lives on', async () => {
  const found = await waits([failure('agent-config'), failure('held'), {}]);
  expect(found.ran).toBe(3);
  expect(found.logged.map(({ kind }) => kind)).toEqual(['failure', 'failure']);
  expect(found.waits.every((wait) => wait <= 63_000)).toBe(true);
});

test('a lock that is held, a full disk and bugs are tried again with backoff', async () => {
  for (const kind of ['locked', 'no-space', 'unexpected', 'unreachable'] as const)
    expect(
      (await waits([failure(kind), failure(kind)], 0.999_999)).waits.map((wait) => Math.round(wait / 1000)),
    ).toEqual([120, 240]);
});

test('one that was told to stop before it began runs no cycle', async () => {
  const code = await runDaemon({
    signal: AbortSignal.abort(),
    clock: { now: () => 0, awake: () => 0 },
    random: { id: () => '', fraction: () => 0 },
    log: () => undefined,
    bell: { next: () => Promise.resolve(), request: () => undefined, nextWithin: () => Promise.resolve() },
    runCycle: () => Promise.reject(new Error('a cycle ran')),
  });
  expect(code).toBe(0);
});
