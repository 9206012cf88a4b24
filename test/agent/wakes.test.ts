import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Bell, makeBell } from '../../agent/wakes.ts';

const hour = 3_600_000;
let bell: Bell;
beforeEach(() => {
  vi.useFakeTimers();
  bell = makeBell(() => 1000);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Whether it has resolved by now; nothing else is waited for. */
async function isOver(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), vi.advanceTimersByTimeAsync(0).then(() => false)]);
}
const never = (): AbortSignal => new AbortController().signal;

describe('a wait', () => {
  test('is over after its time, and not before', async () => {
    const wait = bell.nextWithin(500, never());
    await vi.advanceTimersByTimeAsync(499);
    expect(await isOver(wait)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await isOver(wait)).toBe(true);
  });

  test('is over at once when somebody asks', async () => {
    const wait = bell.nextWithin(hour, never());
    expect(await isOver(wait)).toBe(false);
    bell.request();
    expect(await isOver(wait)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is over when the signal aborts, and leaves no timer', async () => {
    const ending = new AbortController();
    const wait = bell.nextWithin(hour, ending.signal);
    ending.abort();
    expect(await isOver(wait)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('longer than a timer can be just ends early, not at once', async () => {
    const wait = bell.nextWithin(2 ** 40, never());
    await vi.advanceTimersByTimeAsync(2 ** 31 - 2);
    expect(await isOver(wait)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await isOver(wait)).toBe(true);
  });

  test('during a build lasts for one period, as it is by then', async () => {
    let period = 1000;
    const changing = makeBell(() => period);
    period = 50;
    const wait = changing.next(never());
    await vi.advanceTimersByTimeAsync(50);
    expect(await isOver(wait)).toBe(true);
  });
});

describe('a request', () => {
  test('made while nobody waits is kept for the next one to wait, once', async () => {
    bell.request();
    bell.request();
    expect(await isOver(bell.nextWithin(hour, never()))).toBe(true);
    expect(await isOver(bell.nextWithin(hour, never()))).toBe(false);
  });

  test('that somebody waited for is not kept as well', async () => {
    const wait = bell.nextWithin(hour, never());
    bell.request();
    await wait;
    expect(await isOver(bell.nextWithin(hour, never()))).toBe(false);
  });

  test('is not taken by a wait that was to stop before it began', async () => {
    bell.request();
    expect(await isOver(bell.nextWithin(hour, AbortSignal.abort()))).toBe(true);
    expect(await isOver(bell.nextWithin(hour, never()))).toBe(true);
  });

  test('is not taken by a wait that has ended', async () => {
    const ending = new AbortController();
    const wait = bell.nextWithin(hour, ending.signal);
    ending.abort();
    await wait;
    await vi.advanceTimersByTimeAsync(0);
    bell.request();
    expect(await isOver(bell.nextWithin(hour, never()))).toBe(true);
  });
});
