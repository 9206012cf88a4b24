import { PassThrough, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { winstonLog } from '../../../agent/adapters/log.ts';
import type { AgentEvent, Level } from '../../../shared/event.ts';

const clock = { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 6), awake: () => 0 };
const revision = '3c5e1a2b'.repeat(5);

function written(events: readonly AgentEvent[], options: { json: boolean; level?: Level }): string {
  const stream = new PassThrough();
  const log = winstonLog({ stream, clock, level: 'info', ...options });
  for (const event of events) log(event);
  return (stream.read() as Buffer | null)?.toString() ?? '';
}

const failure: AgentEvent = {
  kind: 'failure',
  host: 'web1',
  stage: 'build',
  revision,
  failure: {
    kind: 'build-failed',
    cause: 'the build\nfailed',
    where: 'hosts/web1/build',
    remedy: 'mend it',
    detail: 'one\n\ttwo \u001b[31mred\u001b[0m\n',
  },
};

describe('the log as text', () => {
  test('is time, level, event, host, revision and message', () => {
    expect(written([{ kind: 'new-head', host: 'web1', revision }], { json: false })).toBe(
      '2026-01-02T03:04:05.006Z info new-head web1 3c5e1a2b3c5e new head 3c5e1a2b3c5e\n',
    );
  });

  test('has a dash where there is no revision', () => {
    expect(written([{ kind: 'started', host: 'web1', version: '0.1.0' }], { json: false })).toBe(
      '2026-01-02T03:04:05.006Z info started web1 - autark 0.1.0 started\n',
    );
  });

  test('keeps a message on one line and indents what a program wrote', () => {
    expect(written([failure], { json: false })).toBe(
      '2026-01-02T03:04:05.006Z error failure web1 3c5e1a2b3c5e ' +
        'build: the build failed (hosts/web1/build); mend it\n  one\n  \ttwo red\n',
    );
  });

  test('leaves out what is below its level', () => {
    const idle = { kind: 'idle', host: 'web1', revision } as const;
    expect(written([idle], { json: false })).toBe('');
    expect(written([idle], { json: false, level: 'debug' })).toMatch(/ debug idle web1 /);
  });
});

describe('the log as JSON', () => {
  test('has the same fields, the revision in full, one object a line', () => {
    const lines = written([failure, { kind: 'stopped', host: 'web1', reason: 'SIGTERM' }], {
      json: true,
    }).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        time: '2026-01-02T03:04:05.006Z',
        level: 'error',
        event: 'failure',
        host: 'web1',
        revision,
        message: 'build: the build failed (hosts/web1/build); mend it',
        stage: 'build',
        code: 30,
        where: 'hosts/web1/build',
        remedy: 'mend it',
        detail: 'one\n\ttwo red',
      },
      {
        time: '2026-01-02T03:04:05.006Z',
        level: 'info',
        event: 'stopped',
        host: 'web1',
        message: 'stopped: SIGTERM',
      },
    ]);
  });
});

test('a reader that has gone away does not end the agent', async () => {
  const broken = new Writable({
    write: (_chunk, _encoding, done) => {
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  const log = winstonLog({ stream: broken, json: false, level: 'info', clock });
  log({ kind: 'delivered', host: 'web1', seq: 1 });
  log({ kind: 'delivered', host: 'web1', seq: 2 });
  await new Promise((resolve) => setImmediate(resolve));
  expect(broken.destroyed).toBe(true);
});
