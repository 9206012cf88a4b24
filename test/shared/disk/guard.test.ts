import { describe, expect, test } from 'vitest';
import type { DestroyEvidence } from '../../../shared/disk/evidence.ts';
import { mayDestroy } from '../../../shared/disk/guard.ts';
import {
  allow,
  approval,
  approved,
  backup,
  digest,
  host,
  intent,
  ledger,
  look,
  object,
  observed,
  otherKey,
  paths,
  perfect,
  ran,
  reasons,
  step,
  withRuns,
} from './perfect.ts';

test('a step may destroy what was approved, on the machine and in the state that it was approved for', () => {
  expect(mayDestroy(perfect)).toEqual({ may: true });
});

test('neither the order of devices, observations and backups counts, nor a comment of a key', () => {
  expect(reasons({ devices: [observed(1), observed(0)], backups: [backup(1), backup(0)] })).toEqual([]);
  expect(reasons(allow({ devices: [approved(1), approved(0)] }))).toEqual([]);
  expect(reasons({ step: { ...step, destroys: [...paths].reverse() } })).toEqual([]);
  expect(reasons(allow({ key: `${approval.key} alice@desk` }))).toEqual([]);
});

test('a machine that was installed again may, once an approval names that installation', () => {
  const again = {
    host: { ...host, installation: 'installation-2' },
    ...allow({ installation: 'installation-2' }),
  };
  expect(reasons(again)).toEqual([]);
});

describe('S15: without a ledger that is present, good and says so, nothing is destroyed', () => {
  const cases: readonly (readonly [string, Partial<DestroyEvidence>, readonly string[]])[] = [
    [
      'no ledger',
      { ledger: 'absent' },
      ['S15 this host has no ledger, so nobody knows what it has done before'],
    ],
    [
      'one that does not open',
      { ledger: { unreadable: 'no key opens it' } },
      ['S15 the ledger cannot be read: no key opens it'],
    ],
    [
      'another host’s',
      { ledger: { ...ledger, host: 'web2' } },
      [`S15 the ledger belongs to web2 in fleet ${host.fleet ?? ''}, not to this host`],
    ],
    [
      'another fleet’s',
      { ledger: { ...ledger, fleet: 'feed'.repeat(8) } },
      [`S15 the ledger belongs to web1 in fleet ${'feed'.repeat(8)}, not to this host`],
    ],
    [
      'that of an older record',
      { ledger: { ...ledger, record: object('3') } },
      [`S15 the ledger is of the record ${'3'.repeat(12)}, and the newest is ${'5'.repeat(12)}`],
    ],
    [
      'one without its beginning',
      { ledger: { ...ledger, begun: null } },
      ['S15 the ledger does not say when it began'],
    ],
    [
      'one without runs',
      { ledger: { ...ledger, runs: null } },
      ['S15 the ledger does not say which steps ran'],
    ],
    ['a host that is held', { standing: { is: 'held', cause: 'swap' } }, ['S15 this host is held: swap']],
    [
      'a host whose state another machine writes',
      { standing: { is: 'diverged', cause: 'record 8 is not ours' } },
      ['S15 another machine writes this host’s state: record 8 is not ours'],
    ],
    ['nobody knows', { standing: null }, ['S15 nobody knows whether this host may go on']],
  ];
  test.each(cases)('%s', (_what, changes, expected) => {
    expect(reasons(changes)).toEqual(expected);
  });

  test('nobody knows the newest record: two that are missing are not the same one', () => {
    const changes = { ledger: { ...ledger, record: null }, host: { ...host, newest: null } };
    expect(reasons({ ...changes, intent: { ...intent, after: null } })).toEqual([
      'S15 the ledger is of the record not known, and the newest is not known',
      'S17 something was recorded between the ledger and this run',
    ]);
  });

  test('what is done is not done again, whatever was approved and whatever came after', () => {
    const again = ['S15 this step is done, and is not done a second time'];
    expect(reasons({ ...withRuns(ran('done')), ...allow({ runs: 1 }) })).toEqual(again);
    expect(reasons({ ...withRuns(ran('done'), ran('failed')), ...allow({ runs: 2 }) })).toEqual(again);
    expect(reasons({ step: { ...step, isInherited: true } })).toEqual(again);
  });

  test('what failed runs again under an approval that was not used, and only so', () => {
    expect(reasons({ ...withRuns(ran('failed')), ...allow({ runs: 1 }) })).toEqual([]);
    expect(reasons({ ...withRuns(ran('failed')), approval: null })).toContain('S15 this step ran and failed');
  });

  test('a commit that is reverted brings no older approval back to life: it was given before a later run', () => {
    for (const outcome of ['failed', 'started'] as const) {
      expect(reasons(withRuns(ran(outcome)))).toContain(
        'S16 the approval is from before a run that the ledger knows',
      );
    }
    expect(reasons(allow({ runs: 1 }))).toEqual([
      'S16 the approval is from before a run that the ledger knows',
    ]);
  });
});

describe('S16: an approval is for one run of one program on one machine', () => {
  const cases: readonly (readonly [string, Partial<DestroyEvidence>, string])[] = [
    ['another host’s key', allow({ key: otherKey }), 'the approval names the key of another host'],
    ['no key pinned', { host: { ...host, key: null } }, 'the approval names the key of another host'],
    [
      'another installation',
      allow({ installation: 'installation-0' }),
      'the approval names another installation: this machine was installed or restored since',
    ],
    ['no genesis', { host: { ...host, genesis: null } }, 'the genesis of this host is not known'],
    [
      'a genesis of nobody',
      { host: { ...host, genesisInstallation: null } },
      'nobody knows which installation made the genesis of this host',
    ],
    [
      'a program that was changed since',
      { step: { ...step, program: object('9') }, intent: { ...intent, program: object('9') } },
      'the program is not the one that was approved',
    ],
    [
      'a file that was changed since',
      { step: { ...step, files: digest('9') } },
      'the files that the program reads are not the ones that were approved',
    ],
    [
      'an approval that the step used',
      withRuns(ran('failed', { approval: approval.id })),
      'the approval was used: each is good for one run',
    ],
    [
      'an approval that another step used',
      withRuns(ran('done', { step: 'other', approval: approval.id })),
      'the approval was used: each is good for one run',
    ],
    ['an approval by nobody', allow({ by: ' ' }), 'the approval is not whole'],
  ];
  test.each(cases)('%s', (_what, changes, expected) => {
    expect(reasons(changes)).toContain(`S16 ${expected}`);
  });

  test('no approval: that is the first thing said of it, and nothing of the disks counts as approved', () => {
    const said = reasons({ approval: null });
    expect(said[0]).toBe('S16 nobody approved this step on this machine');
    expect(said.filter((reason) => reason === 'S16 this device is not approved')).toHaveLength(2);
  });

  test('no step', () => {
    expect(reasons({ step: null })).toContain('S16 the revision declares no such step');
  });
});

describe('S17: what must lie on the server first', () => {
  test('metadata of each device, of the layout that it has', () => {
    const lacking = ['S17 the metadata of this device, as it was approved, is not backed up in a record'];
    expect(reasons({ backups: [backup(0)] })).toEqual(lacking);
    expect(reasons({ backups: [backup(0), { ...backup(1), layout: digest('0') }] })).toEqual(lacking);
    expect(reasons({ backups: [backup(0), { ...backup(1), record: null }] })).toEqual(lacking);
    expect(reasons({ backups: null })).toEqual([...lacking, ...lacking]);
  });

  test('the intent, as it was read back', () => {
    const server = ['S17 the Git server does not have the record that this step begins'];
    expect(reasons({ intent: { ...intent, tip: null } })).toEqual(server);
    expect(reasons({ intent: { ...intent, tip: object('7') } })).toEqual(server);
    expect(reasons({ intent: { ...intent, commit: null, tip: null } })).toEqual(server);
    expect(reasons({ intent: null })).toContain('S17 it is not recorded that this step begins');
  });

  test('the intent is of this run, and follows the record whose ledger was read', () => {
    expect(reasons({ intent: { ...intent, approval: 'f'.repeat(32) } })).toEqual([
      'S17 what is recorded is the beginning of another run',
    ]);
    expect(reasons({ intent: { ...intent, after: object('3') } })).toEqual([
      'S17 something was recorded between the ledger and this run',
    ]);
    expect(reasons({ intent: { ...intent, readAt: null } })).toContain(
      'S17 nobody knows when the Git server was asked for that record',
    );
  });
});

describe('S18: what was interrupted does not run again by itself', () => {
  const cut = 'S18 this step began and nobody knows how far it came: it was interrupted';

  test('without an approval, or with the one that it ran under', () => {
    expect(reasons({ ...withRuns(ran('started')), approval: null })).toContain(cut);
    expect(reasons(withRuns(ran('started', { approval: approval.id })))).toEqual([
      cut,
      'S16 the approval was used: each is good for one run',
      'S16 the approval is from before a run that the ledger knows',
    ]);
  });

  test('but under a new one', () => {
    expect(reasons({ ...withRuns(ran('started')), ...allow({ runs: 1 }) })).toEqual([]);
  });
});

test('all reasons are given, each with what to do, and in the same order whatever order they were found in', () => {
  const bad: DestroyEvidence = {
    ...perfect,
    ...withRuns(ran('started', { approval: approval.id })),
    devices: [
      { ...observed(0), uses: ['sda is swap'] },
      { ...observed(1), serial: null },
    ],
    backups: [],
    intent: null,
  };
  const verdict = mayDestroy(bad);
  if (verdict.may) throw new Error('it may not');
  const places = verdict.reasons.map(({ rule, where }) => `${rule} ${where ?? '-'}`);
  expect(places).toEqual([
    'S18 fleet.yaml, step format-disks of web1',
    'S16 fleet.yaml, step format-disks of web1',
    'S16 fleet.yaml, step format-disks of web1',
    `S16 ${paths[0]}`,
    `S16 ${paths[0]}`,
    `S16 ${paths[1]}`,
    `S16 ${paths[1]}`,
    `S16 ${paths[1]}`,
    `S17 ${paths[0]}`,
    `S17 ${paths[1]}`,
    'S17 -',
  ]);
  expect(verdict.reasons.every(({ remedy }) => remedy.length > 10)).toBe(true);
  const devices = [...(bad.devices ?? [])].reverse();
  expect(mayDestroy({ ...bad, devices })).toEqual(verdict);
});

test('what a machine says of its disks is made safe to show', () => {
  const verdict = mayDestroy({ ...perfect, ...look({ serial: 'WX\u001b[2J9', uses: ['a\u0007b'] }) });
  expect(JSON.stringify(verdict)).not.toMatch(/\\u00(?:1b|07)/);
});
