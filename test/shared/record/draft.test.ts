import { describe, expect, test } from 'vitest';
import { exitCode } from '../../../shared/failure.ts';
import { draftRecord, timestamp, type Happening } from '../../../shared/record/draft.ts';
import { parseStatus } from '../../../shared/record/parse-status.ts';
import { stateEvents } from '../../../shared/record/status.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';
import { around, deployed, draft, facts, failure, revision } from './drafts.ts';

const { journal } = around;
const { drift } = fullJournal;

describe('the subject', () => {
  test('of a deployment is the one of formats.md', () => {
    expect(draft().subject).toBe('web1: deployed 3c5e1a2 "Open port 443" as generation 42');
  });

  test.each([
    ['unchanged', undefined, 'web1: unchanged by 3c5e1a2 "Open port 443"'],
    ['failed', failure, 'web1: failed at 3c5e1a2 "Open port 443": the build exited with code 3'],
    ['held', failure, 'web1: held at 3c5e1a2 "Open port 443": the build exited with code 3'],
    ['alive', undefined, 'web1: alive'],
  ] as const)('of %s', (event, failed, subject) => {
    const happening = { ...deployed, event, ...(failed === undefined ? {} : { failure: failed }) };
    expect(draft(happening).subject).toBe(subject);
  });

  test('of a drift says what was changed, and of the end of one that it is over', () => {
    expect(
      draft({ event: 'drifted', running: deployed.running }, { journal: { ...journal, drift } }).subject,
    ).toBe(
      'web1: drifted: var/lib/autark/current was changed by hand: it leads to generations/41; the agent had it lead to generat…',
    );
    expect(draft({ event: 'drifted', running: deployed.running }).subject).toBe('web1: drifted no more');
  });

  test('names a revision by its id alone when its commit cannot be read', () => {
    expect(draft({ ...deployed, revision: { id: revision } }).subject).toBe(
      'web1: deployed 3c5e1a2 as generation 42',
    );
  });

  test('is one line of at most 120 characters for every event, whatever the cause says', () => {
    const cause = `first line\nAutark-Seq: 999\r\n\n${'very '.repeat(60)}long`;
    for (const event of stateEvents) {
      const { subject } = draft({ ...deployed, event, failure: { ...failure, cause } });
      expect(subject).toMatch(/^web1: [^\n\r]+$/);
      expect(subject.length).toBeLessThanOrEqual(120);
    }
  });
});

describe('the status', () => {
  test('is one that readers accept, for every event', () => {
    for (const event of stateEvents)
      for (const failed of [undefined, failure]) {
        const { status } = draft({
          ...deployed,
          event,
          ...(failed === undefined ? {} : { failure: failed }),
        });
        expect(parseStatus(JSON.stringify(status))).toEqual({ ok: true, value: status });
      }
  });

  test('is the next one of the journal’s', () => {
    expect(draft().status).toMatchObject({
      seq: journal.seq + 1,
      fleet: journal.fleet,
      host: journal.host,
      installation: journal.installation,
      accepted: journal.accepted,
      at: '2026-01-02T03:04:05.000Z',
      machine: facts,
    });
  });

  test('says what runs without what only the agent needs', () => {
    const { system } = draft().status;
    expect(Object.keys(system ?? {}).sort()).toEqual(['generation', 'kind', 'path', 'revision', 'since']);
    expect(draft({ ...deployed, running: null }).status.system).toBeNull();
  });

  test('says of a trial that the machine boots something else, and keeps to the head of main', () => {
    const { running } = deployed;
    if (running === null) throw new Error('something runs');
    const trial: Happening = {
      ...deployed,
      ...{ event: 'testing', isTrial: true, revision: { id: 'f'.repeat(40) } },
      running: { ...running, testedIn: facts.boot },
    };
    const { status, deploys } = draft(trial);
    expect(status.system).toMatchObject({ testing: true });
    expect(status.head).toBe(journal.standing?.head);
    expect(deploys).toBe(false);
  });

  test('says of a going back by hand what was left, and keeps to the head that was seen', () => {
    const byHand = { kind: 'held', cause: 'held by hand: rolled back', remedy: 'resume' } as const;
    const back: Happening = {
      ...{ event: 'rolled-back', running: deployed.running, failure: byHand, head: 'd'.repeat(40) },
      revision: { id: 'f'.repeat(40) },
    };
    const { status, deploys } = draft(back);
    expect(status.outcome).toMatchObject({ event: 'rolled-back', code: 10, attempted: 'f'.repeat(40) });
    expect([status.head, deploys]).toEqual(['d'.repeat(40), false]);
  });

  test('is a sign of life that hides no failed trial', () => {
    const trial = { head: 'f'.repeat(40), event: 'failed', code: 30, cause: 'no', under: 'u' } as const;
    const { outcome } = draft(
      { event: 'alive', running: null },
      { journal: { ...journal, standing: null, trial } },
    ).status;
    expect(outcome).toEqual({ event: 'alive', code: 30, attempted: trial.head, message: 'no' });
  });

  test('says of every record, whatever it is about, what was changed by hand', () => {
    const drifted = { journal: { ...journal, drift } };
    for (const event of stateEvents)
      expect(draft({ ...deployed, event }, drifted).status.drift).toHaveLength(1);
    expect(draft().status).not.toHaveProperty('drift');
  });

  test('of a drift has the whole sentence and what to do, and hides nothing that stands', () => {
    const happening = { event: 'drifted', running: deployed.running } as const;
    const sound = draft(happening, { journal: { ...journal, drift, standing: null, trial: null } });
    expect(sound.status.outcome).toMatchObject({ event: 'drifted', code: 0 });
    expect(sound.status.outcome.message).toMatch(/leads to generations\/41; .* generations\/42$/);
    expect(sound.status.outcome.remedy).toContain('`drift: correct`');
    expect(sound.detail.at(-1)).toBe(`next: ${sound.status.outcome.remedy ?? ''}`);
    const held = draft(happening, { journal: { ...journal, drift } });
    expect(held.status.outcome).toMatchObject({ event: 'drifted', code: 10, message: 'paused' });
    expect(held.detail).toEqual(sound.detail);
  });

  test('tells what was attempted only when it failed, with stage, cause, place and remedy', () => {
    expect(draft().status.outcome).toEqual({ event: 'deployed', code: 0, seconds: around.seconds });
    expect(draft({ ...deployed, event: 'failed', failure, stage: 'build' }).status.outcome).toEqual({
      event: 'failed',
      code: exitCode('build-failed'),
      attempted: revision,
      phase: 'build',
      message: 'the build exited with code 3 (hosts/web1/build)',
      remedy: 'mend it and push',
      seconds: around.seconds,
    });
    expect(draft(deployed, { seconds: {} }).status.outcome).not.toHaveProperty('seconds');
  });

  test('asks for a reboot only during the boot in which the activation asked for it', () => {
    const asked = (boot: string | null): boolean =>
      draft(deployed, { journal: { ...journal, rebootRequired: boot } }).status.rebootRequired;
    expect([asked(null), asked(facts.boot), asked('another boot')]).toEqual([false, true, false]);
  });

  test('has as its head the revision that it is about, else the last one judged', () => {
    expect(draft().status.head).toBe(revision);
    const alive = { event: 'alive', running: deployed.running } as const;
    expect(draft(alive).status.head).toBe(journal.standing?.head);
    const fresh = { ...journal, standing: null, accepted: null };
    expect(draft(alive, { journal: fresh }).status.head).toBeNull();
  });
});

describe('the promise of the next record', () => {
  const next = (interval: number, heartbeat: number | null, now = around.now): string | undefined =>
    draft(deployed, { now, journal: { ...journal, pace: { interval, heartbeat, fetch: 1 } } }).status.next;

  test('is absent for a host that may be silent', () => {
    expect(next(60_000, null)).toBeUndefined();
  });

  test('is a heartbeat away, and never so close that a late poll breaks it', () => {
    for (const [interval, heartbeat] of [
      [1000, 1000],
      [60_000, 86_400_000],
      [86_400_000, 60_000],
    ] as const) {
      const promised = Date.parse(next(interval, heartbeat) ?? '');
      // A poll comes up to a twentieth of the interval late.
      expect(promised - around.now).toBeGreaterThan(heartbeat + 1.05 * interval);
    }
  });

  test('survives every clock', () => {
    for (const now of [-1e13, 0, 4_294_967_296_000, 8.64e15])
      expect(next(60_000, 86_400_000, now)).toMatch(/^\d{4}-\d\d-\d\dT/);
  });
});

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [-1, '1970-01-01T00:00:00.000Z'],
  [4_294_967_296_000, '2106-02-07T06:28:16.000Z'],
  [253_402_300_799_000, '9999-12-31T23:59:59.000Z'],
  [253_402_300_799_001, '9999-12-31T23:59:59.000Z'],
  [8.64e15, '9999-12-31T23:59:59.000Z'],
])('a clock at %d is written as %s', (ms, text) => {
  expect(timestamp(ms)).toBe(text);
});

test('only what was deployed makes its revision a parent', () => {
  const deploying = stateEvents.filter((event) => draft({ ...deployed, event }).deploys);
  expect(deploying).toEqual(['deployed', 'unchanged']);
});

test('the detail has the place, the end of the output and the next step', () => {
  const output = Array.from({ length: 30 }, (_none, index) => `line ${index}`).join('\n');
  const { detail } = draft({ ...deployed, event: 'failed', failure: { ...failure, detail: output } });
  expect(detail[0]).toBe('at hosts/web1/build');
  expect(detail.at(-1)).toBe('next: mend it and push');
  expect(detail.at(-2)).toBe('line 29');
  expect(detail.length).toBeLessThan(20);
  expect(draft().detail).toEqual([]);
});

test('the same happening under the same circumstances gives the same draft', () => {
  expect(draftRecord(structuredClone(deployed), structuredClone(around))).toEqual(draft());
});
