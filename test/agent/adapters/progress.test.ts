import { expect, test } from 'vitest';
import { progressBar, seldomProgress } from '../../../agent/adapters/progress.ts';
import type { AgentEvent } from '../../../shared/event.ts';

const revision = 'a'.repeat(40);
const at = (done: number, of = revision): AgentEvent => ({
  kind: 'progress',
  host: 'web1',
  revision: of,
  progress: { done, expected: 10, running: 2, failed: 0, current: 'hello-2.12' },
});
const other: AgentEvent = { kind: 'idle', host: 'web1', revision };

test('a log hears of a build at once, and then every ten seconds; of all else each time', () => {
  const heard: AgentEvent[] = [];
  let now = 0;
  const log = seldomProgress((event) => heard.push(event), { now: () => 0, awake: () => now });
  const say = (event: AgentEvent, after: number): void => {
    now += after;
    log(event);
  };
  say(at(1), 0);
  say(at(2), 5000);
  say(other, 0);
  say(at(3), 5000);
  say(at(4), 1);
  say(at(1, 'b'.repeat(40)), 1);
  expect(heard).toEqual([at(1), other, at(3), at(1, 'b'.repeat(40))]);
});

test('a terminal has one line below the log, and every log line above it', () => {
  let screen = '';
  const write = (text: string): void => {
    screen += text;
  };
  const log = progressBar(
    ({ kind }) => {
      write(`${kind}\n`);
    },
    { write, columns: () => 60 },
  );
  log(at(1));
  log(at(5));
  log(other);
  log(at(10));
  const bar = (cells: number, done: number): string =>
    `\r[${'#'.repeat(cells)}${'-'.repeat(20 - cells)}] ${done} of 10 built, 2 running: hello-2.12`.slice(
      0,
      60,
    );
  expect(screen).toBe(`${bar(2, 1)}\r\u001b[K${bar(10, 5)}\r\u001b[Kidle\n${bar(20, 10)}`);
});

test('the bar is never as wide as the terminal, nor more than full', () => {
  const drawn: string[] = [];
  const log = progressBar(() => undefined, { write: (text) => drawn.push(text), columns: () => 30 });
  log({ ...at(25), host: 'web1' });
  expect(drawn[0]?.length).toBe(30);
  expect(drawn[0]).toContain('[####################]');
});
