import { EventEmitter } from 'node:events';
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchFile, watchRemote } from '../../../agent/adapters/watch.ts';
import { patience } from '../../rig/patience.ts';
import { scratch } from './scratch.ts';

/** What chokidar would be where inotify gives nothing. */
let watcher: EventEmitter & { close: () => Promise<void> };
vi.mock('chokidar', () => ({ watch: () => watcher }));

beforeEach(() => {
  watcher = Object.assign(new EventEmitter(), { close: () => Promise.resolve() });
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const nothing = (): void => undefined;

test.each([
  [
    'file',
    (folder: string, trouble: (message: string) => void) =>
      watchFile(join(folder, 'agent.yaml'), nothing, trouble),
  ],
  [
    'remote',
    (folder: string, trouble: (message: string) => void) => watchRemote(folder, 'main', nothing, trouble),
  ],
])('a %s whose watch is never ready is waited for 5 s, and what is wrong is told once', async (_, open) => {
  const folder = realpathSync(scratch());
  for (const name of ['objects', 'refs']) mkdirSync(join(folder, name));
  const told: string[] = [];
  let watch: Awaited<ReturnType<typeof open>> | undefined;
  const opened = open(folder, (message) => told.push(message)).then((value) => (watch = value));
  await vi.waitFor(
    () => {
      expect(watcher.listenerCount('ready')).toBe(1);
    },
    { ...patience, interval: 50 },
  );
  const reason = 'System limit for number of file watchers reached';
  watcher.emit('error', new Error(reason));
  watcher.emit('error', new Error(reason));
  await vi.advanceTimersByTimeAsync(4000);
  expect(watch).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2000);
  await opened;
  expect(watch).toBeDefined();
  expect(told).toEqual([`${folder} cannot be watched: ${reason}`]);
});

test('a watch that takes long is told as well', async () => {
  const folder = realpathSync(scratch());
  const told: string[] = [];
  const opened = watchFile(join(folder, 'agent.yaml'), nothing, (message) => told.push(message));
  await vi.waitFor(
    () => {
      expect(watcher.listenerCount('ready')).toBe(1);
    },
    { ...patience, interval: 50 },
  );
  await vi.advanceTimersByTimeAsync(6000);
  await opened;
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(folder);
});

test('a watch that is ready tells nothing, and does not wait', async () => {
  const told: string[] = [];
  const opened = watchFile(join(scratch(), 'agent.yaml'), nothing, (message) => told.push(message));
  await vi.waitFor(
    () => {
      expect(watcher.listenerCount('ready')).toBe(1);
    },
    { ...patience, interval: 50 },
  );
  watcher.emit('ready');
  await opened;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(told).toEqual([]);
});
