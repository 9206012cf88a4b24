import type { DestroyEvidence, LedgerState, Observation, Run } from '../../../shared/disk/evidence.ts';
import {
  approval,
  approved,
  backup,
  digest,
  host,
  intent,
  key,
  ledger,
  object,
  observed,
  otherKey,
  paths,
  ran,
  step,
} from './perfect.ts';

/** The likely value mostly, else one of the others: so often that about a fifth of all evidence is good. */
const strays = 0.017;

interface Draw {
  readonly one: <Value>(likely: Value, ...others: readonly Value[]) => Value;
  readonly chance: (share: number) => boolean;
}

function drawWith(random: () => number): Draw {
  return {
    one: (likely, ...others) =>
      random() < strays ? (others[Math.floor(random() * others.length)] ?? likely) : likely,
    chance: (share) => random() < share,
  };
}

/**
 * Evidence from small domains, in which all values of one kind meet each other: two that are wrong may agree, and then they
 * are right. Whole worlds are drawn too: a second installation, another program, other digests everywhere.
 */
export function randomEvidence(random: () => number): DestroyEvidence {
  const draw = drawWith(random);
  const { one, chance } = draw;
  const life = chance(0.2) ? 'installation-2' : 'installation-1';
  const program = chance(0.2) ? object('9') : object('1');
  const record = chance(0.2) ? object('8') : object('5');
  const layouts = chance(0.2) ? [digest('e'), digest('f')] : [approved(0).layout, approved(1).layout];
  const destroys = one<readonly string[]>(paths, [paths[0]], [paths[1], paths[0]], [paths[0], paths[0]], []);
  const layout = (which: 0 | 1): string => one(layouts[which] ?? '', digest('e'), digest('a'));
  const twoOf = <Value>(make: (which: 0 | 1) => Value): readonly Value[] => [make(0), make(1)];
  return {
    step: one(
      {
        ...{ name: step.name, destroys, isInherited: one<boolean | null>(false, true, null) },
        ...{
          program: one(program, null, object('1'), object('9')),
          files: one(digest('2'), null, digest('3')),
        },
      },
      null,
    ),
    host: {
      ...{ fleet: one(host.fleet, null, 'feed'), name: one(host.name, null, 'web2') },
      ...{ key: one(`${key} root@web1`, null, otherKey, key), genesis: one(host.genesis, null) },
      genesisInstallation: one<string | null>('installation-1', null, 'installation-2'),
      installation: one<string | null>(life, null, 'installation-1', 'installation-2'),
      newest: one<string | null>(record, null, object('5'), object('8')),
    },
    ledger: randomLedger(draw, record),
    approval: one(
      {
        ...{ id: one(approval.id, 'f'.repeat(32)), key: one(key, otherKey, `${key} alice`), by: 'alice' },
        runs: one(0, 0, 1, 2),
        ...{ installation: one(life, 'installation-1', 'installation-2'), at: approval.at },
        ...{ program: one(program, object('1'), object('9')), files: one(digest('2'), digest('3')) },
        devices: one(
          twoOf((which) => ({
            ...{ ...approved(which), layout: layout(which) },
            ...{ serial: one(approved(which).serial, approved(0).serial, '00000000') },
          })),
          [approved(0)],
          [approved(1), approved(0)],
          [approved(0), approved(0)],
        ),
      },
      null,
    ),
    standing: one<DestroyEvidence['standing']>(
      'clear',
      null,
      { is: 'held', cause: 'x' },
      { is: 'diverged', cause: 'x' },
    ),
    devices: one(
      twoOf((which) => randomLook(draw, which, layout(which))),
      null,
      [],
      [observed(0)],
      [observed(1), observed(0)],
      [observed(0), observed(1), observed(1)],
    ),
    backups: one<DestroyEvidence['backups']>(
      twoOf((which) => ({ ...backup(which), layout: layout(which), record: one(object('5'), null) })),
      null,
      [backup(0)],
    ),
    intent: one(
      {
        approval: one<string | null>(approval.id, null, 'f'.repeat(32)),
        program: one<string | null>(program, null, object('1'), object('9')),
        after: one<string | null>(record, null, object('5'), object('8')),
        commit: one<string | null>(object('6'), null, object('7')),
        tip: one<string | null>(object('6'), null, object('7')),
        readAt: one<number | null>(intent.readAt, null, 1000, 1001, 3000),
      },
      null,
    ),
    now: one<number | null>(2000, null, 1000, 999, 121_000, 121_001, Number.NaN),
  };
}

function randomLedger({ one, chance }: Draw, record: string): LedgerState {
  const runs: Run[] = [];
  while (chance(0.25)) {
    const outcome = one<Run['outcome']>(chance(0.5) ? 'started' : 'failed', 'done');
    const used = one<string | null>('d'.repeat(32), null, approval.id, 'f'.repeat(32));
    runs.push(ran(outcome, { step: one(step.name, 'other'), approval: used }));
  }
  return one<LedgerState>(
    {
      fleet: one(ledger.fleet, null, 'feed'),
      host: one(ledger.host, null, 'web2'),
      record: one<string | null>(record, null, object('5'), object('8')),
      begun: one(
        { seq: chance(0.5) ? 1 : 40, installation: chance(0.5) ? 'installation-1' : 'installation-2' },
        null,
      ),
      runs: one<readonly Run[] | null>(runs, null),
    },
    'absent',
    { unreadable: 'x' },
  );
}

function randomLook({ one }: Draw, which: 0 | 1, layout: string): Observation {
  const good = observed(which);
  const found = [{ on: 'sda', type: 'ext4', offset: 0, uuid: null, label: null }];
  return one<Observation>(
    {
      path: one<string>(good.path, '/dev/sda', `${paths[0]}-part1`),
      device: one(good.device, null, '8:0', '8:16'),
      serial: one(good.serial, null, approved(0).serial, approved(1).serial, '00000000'),
      size: one(good.size, null, 0, approved(0).size),
      layout: one<string | null>(layout, null),
      samples: one(good.samples, null, digest('c'), digest('d')),
      uses: one<readonly string[] | null>([], null, ['mounted']),
      isExclusive: one<boolean | null>(true, null, false),
      looks: one(good.looks, null, 'blank', 'encrypted?'),
      found: one<typeof found | null>([], null, found),
      at: one<number | null>(good.at, null, 0, 900, 2000, 2001),
    },
    { path: good.path, failed: 'read error' },
  );
}
