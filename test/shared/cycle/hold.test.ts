import { describe, expect, test } from 'vitest';
import { basisOf } from '../../../shared/cycle/basis.ts';
import { heldByHand, isOver, type Hold } from '../../../shared/cycle/hold.ts';
import { isReason, longestReason, parseHold, serialiseHold } from '../../../shared/cycle/parse-hold.ts';
import { fail, ok } from '../../../shared/failure.ts';
import { parseAgentSettings } from '../../../shared/fleet/agent-yaml.ts';
import { failureOf, valueOf } from '../../agent/adapters/scratch.ts';

const where = '/var/lib/autark/hold.json';
const since = Date.UTC(2027, 0, 5, 3, 0, 0, 250);
const until = since + 7_200_000;
const hold: Hold = { reason: 'disk swap, “ünïcode”', since, until, by: 'hold' };
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const written = JSON.parse(new TextDecoder().decode(serialiseHold(hold))) as Record<string, unknown>;

describe('hold.json', () => {
  test('comes back as it was written, to the millisecond', () => {
    const { until: _end, ...endless } = hold;
    for (const each of [hold, endless, { ...endless, by: 'rollback' } as const]) {
      expect(valueOf(parseHold(serialiseHold(each), where))).toEqual(each);
    }
  });

  test('is for people to read', () => {
    expect(written).toEqual({
      format: 1,
      reason: 'disk swap, “ünïcode”',
      since: '2027-01-05T03:00:00.250Z',
      until: '2027-01-05T05:00:00.250Z',
      by: 'hold',
    });
  });

  test('cut off anywhere is held, or the same when only its line end is gone', () => {
    const bytes = serialiseHold(hold);
    for (let length = 0; length < bytes.length; length += 1) {
      const read = parseHold(bytes.subarray(0, length), where);
      if (read.ok) expect(read.value).toEqual(hold);
      else expect(read.failure).toMatchObject({ kind: 'held', where });
      expect(read.ok).toBe(length === bytes.length - 1);
    }
  });

  test.each([
    ['another format', { ...written, format: 2 }],
    ['a key that nobody knows', { ...written, unless: 'x' }],
    ['no reason', { ...written, reason: undefined }],
    ['an empty reason', { ...written, reason: '' }],
    ['a reason of two lines', { ...written, reason: 'a\nb' }],
    ['a reason with an escape', { ...written, reason: 'a\u001b[31m' }],
    ['an endless reason', { ...written, reason: 'a'.repeat(longestReason + 1) }],
    ['no beginning', { ...written, since: undefined }],
    ['a time that is none', { ...written, until: '2027-02-30T00:00:00Z' }],
    ['an end of null', { ...written, until: null }],
    ['somebody else', { ...written, by: 'me' }],
    ['a list', [written]],
    ['null', null],
  ])('with %s is held, and says what to do', (_what, value) => {
    const failure = failureOf(parseHold(encode(value), where));
    expect(failure).toMatchObject({ kind: 'held', where });
    expect(failure.remedy).toMatch(/autark hold --reason.*autark resume/);
  });

  test('takes as reasons just what its parser takes', () => {
    expect(['a', 'a b', 'x'.repeat(longestReason)].map(isReason)).toEqual([true, true, true]);
    expect(['', ' a', 'a\tb', 'a\nb', 'a  b', '\u202ea'].map(isReason)).toEqual([
      ...[false, false, false],
      ...[false, false, false],
    ]);
  });
});

describe('what is in force', () => {
  test('is nothing without a hold', () => {
    expect(heldByHand(ok(null), 0)).toBeNull();
  });

  test('is the hold, with its reason and where it is ended', () => {
    expect(heldByHand(ok(hold), since)).toEqual({
      until,
      failure: {
        kind: 'held',
        cause: 'held by hand on this machine: disk swap, “ünïcode”',
        where: 'var/lib/autark/hold.json',
        remedy: 'run `autark resume` on the machine to go on',
      },
    });
  });

  test('ends to the millisecond, and without an end never, whatever the clock says', () => {
    const at = (now: number): boolean => heldByHand(ok(hold), now) !== null;
    expect([-1e15, until - 1, until, 1e15].map(at)).toEqual([true, true, false, false]);
    expect([-1e15, 1e15].map((now) => isOver({ reason: 'r', since, by: 'hold' }, now))).toEqual([
      false,
      false,
    ]);
  });

  test('is what cannot be read, for somebody may have said to wait (P4)', () => {
    const failure = { kind: 'held', cause: 'c', remedy: 'r' } as const;
    expect(heldByHand(fail(failure), 1e15)).toEqual({ failure });
  });
});

describe('what findings rest on', () => {
  const settings = valueOf(
    parseAgentSettings(`host: web1\nremote: /srv/fleet.git\nintroduction: ${'a'.repeat(40)}\n`, 'agent.yaml'),
  );
  const grounds = { settings, key: 'k', version: '1' };
  const under = (each: Hold | null): string => basisOf({ ...grounds, byHand: heldByHand(ok(each), since) });

  test('is another thing once a hold begins, changes its reason or end, or ends', () => {
    const { until: _end, ...endless } = hold;
    const all = [null, hold, endless, { ...hold, until: until + 1 }, { ...hold, reason: 'another' }];
    expect(new Set(all.map(under)).size).toBe(all.length);
    expect(under(hold)).toBe(under({ ...hold }));
    expect(under({ ...hold, until: since })).toBe(under(null));
  });
});
