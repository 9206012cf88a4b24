import { describe, expect, test } from 'vitest';
import type { AgentEvent, Level } from '../../shared/event.ts';
import type { FailureKind } from '../../shared/failure.ts';
import { levelOf, render } from '../../shared/render.ts';

const revision = '3c5e1a2b'.repeat(5);
const by = '0123abcd'.repeat(5);
const host = 'web1';

const failed = (kind: FailureKind): AgentEvent => ({
  kind: 'failure',
  host,
  stage: 'poll',
  failure: { kind, cause: 'It happened', remedy: 'do this' },
});

test.each<[AgentEvent, Level, string]>([
  [{ kind: 'started', host, version: '1.2.3' }, 'info', 'autark 1.2.3 started'],
  [{ kind: 'stopped', host, reason: 'SIGTERM' }, 'info', 'stopped: SIGTERM'],
  [{ kind: 'new-head', host, revision }, 'info', 'new head 3c5e1a2b3c5e'],
  [{ kind: 'stage', host, stage: 'build', revision }, 'info', 'build begins'],
  [{ kind: 'superseded', host, revision, by }, 'info', 'superseded by 0123abcd0123'],
  [
    { kind: 'recovered', host, from: 'switch' },
    'warn',
    'the last cycle was interrupted in switch; finishing or undoing it',
  ],
  [{ kind: 'warning', host, message: 'odd' }, 'warn', 'odd'],
  [
    { kind: 'recorded', host, event: 'deployed', seq: 3, subject: 'web1: deployed', revision },
    'info',
    'record 3: web1: deployed',
  ],
  [{ kind: 'delivered', host, seq: 3 }, 'info', 'the server has the records up to 3'],
  [{ kind: 'idle', host, revision }, 'debug', 'nothing to do'],
  [failed('build-failed'), 'error', 'poll: It happened; do this'],
  [failed('no-space'), 'error', 'poll: It happened; do this'],
  [failed('held'), 'warn', 'poll: It happened; do this'],
  [failed('unreachable'), 'warn', 'poll: It happened; do this'],
])('%j', (event, level, message) => {
  expect(levelOf(event)).toBe(level);
  expect(render(event)).toMatchObject({ message, fields: { host } });
  expect(render(event).fields['revision']).toBe('revision' in event ? event.revision : undefined);
});

describe('what comes from outside', () => {
  test('cannot start a line of its own, nor move the cursor', () => {
    const message = 'a\r\n2026 error forged\u001b[1A\u2028b';
    const { message: line } = render({ kind: 'warning', host: 'we\nb1', message });
    expect(line).toBe('a 2026 error forgedb');
    expect(render({ kind: 'warning', host: 'we\nb1', message }).fields.host).toBe('we b1');
  });

  test('keeps its lines in detail, and only there', () => {
    const event: AgentEvent = {
      kind: 'failure',
      host,
      stage: 'build',
      failure: {
        kind: 'build-failed',
        cause: 'a\nb',
        where: 'x\ny',
        remedy: 'r\ns',
        detail: '1\n\u001b[2J2\n\n',
      },
    };
    expect(render(event)).toEqual({
      message: 'build: a b (x y); r s',
      fields: { host, stage: 'build', code: 30, where: 'x y', remedy: 'r s', detail: '1\n2' },
    });
  });
});
