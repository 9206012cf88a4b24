import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { formatMessage, parseMessage } from '../../../shared/record/message.ts';
import { deployed, draft, failure, revision } from './drafts.ts';

const genesis = '4be1'.repeat(10);

/** What git itself takes for trailers. */
function gitTrailers(message: string): string[] {
  const { stdout, status } = spawnSync('git', ['interpret-trailers', '--parse'], {
    input: message,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
    cwd: '/',
  });
  expect(status).toBe(0);
  return stdout.split('\n').slice(0, -1);
}

const lines = (message: string): string[] =>
  [...parseMessage(message).trailers].map(([key, value]) => `${key}: ${value}`);

test('a deployment’s message is the one of formats.md', () => {
  const made = draft();
  const message = formatMessage(made, genesis);
  expect(message).toBe(
    [
      'web1: deployed 3c5e1a2 "Open port 443" as generation 42',
      '',
      'Autark-Fleet: 0f9c',
      'Autark-Host: web1',
      `Autark-Genesis: ${genesis}`,
      `Autark-Seq: ${made.status.seq}`,
      'Autark-Event: deployed',
      `Autark-Revision: ${revision}`,
      'Autark-Generation: 42',
      'Autark-System: /var/lib/autark/systems/7f',
      'Autark-Seconds: 12.4',
      '',
    ].join('\n'),
  );
  expect(gitTrailers(message)).toEqual(lines(message));
  expect(lines(message)).toHaveLength(9);
});

test('a failure names what was tried, and what runs', () => {
  const { trailers } = parseMessage(formatMessage(draft({ ...deployed, event: 'failed', failure }), genesis));
  expect(trailers.get('Autark-Attempted')).toBe(revision);
  expect(trailers.get('Autark-Revision')).toBe(revision);
  const nothing = parseMessage(
    formatMessage(draft({ ...deployed, event: 'failed', failure, running: null }), genesis),
  );
  for (const key of ['Revision', 'Generation', 'System'])
    expect(nothing.trailers.has(`Autark-${key}`)).toBe(false);
});

test('the genesis does not name itself', () => {
  const { trailers } = parseMessage(formatMessage(draft(), null));
  expect(trailers.has('Autark-Genesis')).toBe(false);
});

describe('output of programs cannot pass for a trailer', () => {
  test.each([
    ['a trailer', 'Autark-Seq: 999'],
    ['a paragraph of trailers', 'x\n\nAutark-Seq: 999\nAutark-Revision: 0'],
    ['blank lines', '\n\n\n'],
    ['a cut line', '---\nAutark-Seq: 999'],
    ['a scissors line', '# ------------------------ >8 ------------------------'],
    ['git’s own', 'Signed-off-by: A <a@b>\n(cherry picked from commit 0)'],
  ])('%s', (_what, detail) => {
    const made = draft({ ...deployed, event: 'failed', failure: { ...failure, detail } });
    const message = formatMessage(made, genesis);
    expect(parseMessage(message).trailers.get('Autark-Seq')).toBe(String(made.status.seq));
    expect(gitTrailers(message)).toEqual(lines(message));
    expect(message.match(/^Autark-Seq: /gm)).toHaveLength(1);
  });
});

describe('parsing never throws and finds only what is in its place', () => {
  test.each([
    ['', '', 0],
    ['\n\n\n', '', 0],
    ['only a subject', 'only a subject', 0],
    ['Autark-Seq: 1', 'Autark-Seq: 1', 0],
    ['s\n\nAutark-Seq: 1\nnot one', 's', 0],
    ['s\n\nAutark-Seq: 1\n\nmore text', 's', 0],
    ['s\n\nAutark-Seq: 1', 's', 1],
    ['s\n\n\n\nAutark-Seq: 1\n\n', 's', 1],
    ['s\n\n Autark-Seq: 1', 's', 0],
    ['s\n\nAutark-Seq:1', 's', 0],
  ])('%j', (message, subject, count) => {
    const parsed = parseMessage(message);
    expect(parsed.subject).toBe(subject);
    expect(parsed.trailers.size).toBe(count);
  });

  test('of two equal keys the last one counts, as in git', () => {
    expect(parseMessage('s\n\nAutark-Seq: 1\nAutark-Seq: 2').trailers.get('Autark-Seq')).toBe('2');
  });

  test('the detail is what lies between', () => {
    expect(parseMessage('s\n\n  one\n  two\n\nthree\n\nA-B: c').detail).toEqual(['one', 'two', 'three']);
  });
});
