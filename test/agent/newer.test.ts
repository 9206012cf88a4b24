import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Context } from '../../agent/context.ts';
import { unlessNewer } from '../../agent/newer.ts';
import { poll } from '../../agent/stages/poll.ts';
import { verify } from '../../agent/stages/verify.ts';
import { makeBell } from '../../agent/wakes.ts';
import type { Aim, Heads } from '../../shared/cycle/aim.ts';
import type { AgentEvent } from '../../shared/event.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import { patience } from '../rig/patience.ts';
import { fullJournal } from './adapters/journals.ts';

vi.mock('../../agent/stages/poll.ts');
vi.mock('../../agent/stages/verify.ts');

beforeEach(() => {
  vi.resetAllMocks();
});

const [older, newer] = ['a'.repeat(40), 'b'.repeat(40)];
const main: Aim = { revision: older, isTrial: false };
const heads = (revision: string, testing: string | null = null) => ok({ revision, testing });
const unreachable = fail({ kind: 'unreachable', cause: 'c', remedy: 'r' } as const);
const forged = fail({ kind: 'not-authentic', cause: 'c', remedy: 'r' } as const);

interface Running {
  readonly ended: Promise<Result<string> | 'superseded'>;
  /** Ends the work by itself. */
  readonly finish: (result?: Result<string>) => void;
  readonly bell: ReturnType<typeof makeBell>;
  readonly logged: readonly AgentEvent[];
  /** Whether a request is left for the next cycle. */
  readonly isOwed: () => Promise<boolean>;
}

/** Work that lasts until it is finished or told to stop. */
function begin(stop = new AbortController().signal, aim: Aim = main): Running {
  const bell = makeBell(() => 3_600_000);
  const logged: AgentEvent[] = [];
  const context = {
    signal: stop,
    memory: { journal: { ...fullJournal, accepted: older } },
    senses: { log: (event: AgentEvent) => logged.push(event) },
  } as unknown as Context;
  let finish: Running['finish'] = () => undefined;
  const ended = unlessNewer(
    context,
    bell,
    aim,
    ({ signal }) =>
      new Promise<Result<string>>((resolve) => {
        finish = (result = ok('built')) => {
          resolve(result);
        };
        signal.addEventListener('abort', () => {
          resolve(fail({ kind: 'build-failed', cause: 'aborted', remedy: '' }));
        });
      }),
  );
  const isOwed = async (): Promise<boolean> => {
    const late = new AbortController();
    let rang = true;
    setImmediate(() => {
      rang = false;
      late.abort();
    });
    await bell.nextWithin(3_600_000, late.signal);
    return rang;
  };
  return { ended, finish, bell, logged, isOwed };
}

const polled = (): Promise<void> =>
  vi.waitFor(
    () => {
      expect(poll).toHaveBeenCalled();
    },
    { ...patience, interval: 50 },
  );
const authentic = (revision: string) => ok({ revision }) as Awaited<ReturnType<typeof verify>>;

test('work that nobody disturbs gives its own result', async () => {
  const running = begin();
  running.finish();
  expect(await running.ended).toEqual(ok('built'));
  expect(poll).not.toHaveBeenCalled();
  expect(await running.isOwed()).toBe(false);
});

test('without wakes, as with --once, nothing is watched', async () => {
  expect(await unlessNewer({} as Context, undefined, main, () => Promise.resolve(ok(1)))).toEqual(ok(1));
});

test('an authentic newer revision ends the work and is named', async () => {
  vi.mocked(poll).mockResolvedValue(heads(newer));
  vi.mocked(verify).mockResolvedValue(authentic(newer));
  const running = begin();
  running.bell.request();
  expect(await running.ended).toBe('superseded');
  expect(running.logged).toEqual([{ kind: 'superseded', host: 'web1', revision: older, by: newer }]);
});

test('the same head again changes nothing and is not verified again', async () => {
  vi.mocked(poll).mockResolvedValue(heads(older));
  const running = begin();
  running.bell.request();
  await polled();
  running.finish();
  expect(await running.ended).toEqual(ok('built'));
  expect(verify).not.toHaveBeenCalled();
  expect(await running.isOwed()).toBe(false);
});

test('a head that is not authentic does not end the work; the next cycle is to refuse it', async () => {
  vi.mocked(poll).mockResolvedValue(heads(newer));
  vi.mocked(verify).mockResolvedValue(forged);
  const running = begin();
  running.bell.request();
  await vi.waitFor(
    () => {
      expect(verify).toHaveBeenCalledTimes(1);
    },
    { ...patience, interval: 50 },
  );
  running.bell.request();
  await vi.waitFor(
    () => {
      expect(verify).toHaveBeenCalledTimes(2);
    },
    { ...patience, interval: 50 },
  );
  running.finish();
  expect(await running.ended).toEqual(ok('built'));
  expect(await running.isOwed()).toBe(true);
});

test('a look that the end of the work cut short is owed to the next cycle', async () => {
  vi.mocked(poll).mockImplementation(
    ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          resolve(unreachable);
        });
      }),
  );
  const running = begin();
  running.bell.request();
  await polled();
  running.finish();
  expect(await running.ended).toEqual(ok('built'));
  expect(await running.isOwed()).toBe(true);
});

test('a request that came during such a look is not lost either', async () => {
  let answer: (heads: Result<Heads>) => void = () => undefined;
  vi.mocked(poll).mockImplementation(() => new Promise((resolve) => (answer = resolve)));
  const running = begin();
  running.bell.request();
  await polled();
  running.bell.request();
  running.finish();
  // The old head: by itself, this look owes nothing.
  await new Promise((resolve) => setImmediate(resolve));
  answer(heads(older));
  expect(await running.ended).toEqual(ok('built'));
  expect(await running.isOwed()).toBe(true);
});

test('an agent that is told to stop ends the work without a newer revision', async () => {
  const stop = new AbortController();
  const running = begin(stop.signal);
  stop.abort();
  expect(await running.ended).toMatchObject({ ok: false });
  expect(running.logged).toEqual([]);
});

test('when the work throws, nobody goes on watching', async () => {
  const bell = makeBell(() => 3_600_000);
  const context = { signal: new AbortController().signal } as unknown as Context;
  const ended = unlessNewer(context, bell, main, () => Promise.reject(new Error('a bug')));
  await expect(ended).rejects.toThrow('a bug');
  bell.request();
  await new Promise((resolve) => setImmediate(resolve));
  expect(poll).not.toHaveBeenCalled();
});

test('when watching throws, the work still comes to its end, and the bug is not lost', async () => {
  vi.mocked(poll).mockRejectedValue(new Error('a bug in the poll'));
  const running = begin();
  let isOver = false;
  const settled = running.ended.then(
    () => 'no error',
    (error: unknown) => ((isOver = true), String(error)),
  );
  running.bell.request();
  await polled();
  await new Promise((resolve) => setImmediate(resolve));
  expect(isOver).toBe(false);
  running.finish();
  expect(await settled).toBe('Error: a bug in the poll');
});

describe('a trial', () => {
  const trial: Aim = { revision: newer, isTrial: true };

  test('goes on while both branches stay where they are', async () => {
    vi.mocked(poll).mockResolvedValue(heads(older, newer));
    const running = begin(undefined, trial);
    running.bell.request();
    await polled();
    running.finish();
    expect(await running.ended).toEqual(ok('built'));
    expect(verify).not.toHaveBeenCalled();
  });

  test.each([null, 'c'.repeat(40)])('ends when its branch has gone or moved, to %s', async (testing) => {
    vi.mocked(poll).mockResolvedValue(heads(older, testing));
    const running = begin(undefined, trial);
    running.bell.request();
    expect(await running.ended).toBe('superseded');
    expect(running.logged).toMatchObject([{ kind: 'superseded', revision: newer, by: testing ?? older }]);
    expect(verify).not.toHaveBeenCalled();
  });

  test('ends when the configuration branch moves to what is authentic', async () => {
    const next = 'c'.repeat(40);
    vi.mocked(poll).mockResolvedValue(heads(next, newer));
    vi.mocked(verify).mockResolvedValue(authentic(next));
    const running = begin(undefined, trial);
    running.bell.request();
    expect(await running.ended).toBe('superseded');
    expect(running.logged).toMatchObject([{ by: next }]);
  });
});
