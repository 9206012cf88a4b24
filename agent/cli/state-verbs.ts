import { exitCode } from '../../shared/failure.ts';
import { identity } from './secret-verbs.ts';
import type { OptionForm, PositionalForm, Verb } from './verb.ts';

const json: OptionForm = { describe: 'print one JSON value' };
const offline: OptionForm = { describe: 'show what this clone knows already' };
const host: PositionalForm = { name: 'HOST', describe: 'the name of a host', need: 'one' };

const exits = [
  [20, 'the host’s newest record is not good, or is older than one that was seen'],
  [21, 'what was opened cannot be read'],
  [62, 'your key does not open it'],
] as const;

const stepVerb: Verb = {
  name: 'step',
  summary: 'Let a step of a host run once, after a look at what it would destroy',
  positionals: [
    { name: 'ACTION', describe: 'approve', need: 'one', choices: ['approve'] },
    host,
    { name: 'STEP', describe: 'its name below hosts.HOST.steps', need: 'one' },
  ],
  options: {
    identity,
    serial: {
      describe: 'the serial number of a disk that it destroys, once for each; needed without a terminal',
      value: 'SERIAL',
      repeats: true,
    },
    yes: { describe: 'let a step run that destroys nothing, without being asked' },
    push: { describe: 'push the commit' },
  },
  examples: [
    ['autark step approve web1 format-disks --push', 'shows the disks, and asks for their serial numbers'],
  ],
  exits: [...exits, [60, 'the host would refuse it: it says why, and what to do']],
  exitFor: (failure) => exitCode(failure.kind),
  load: async () => (await import('./step.ts')).step,
};

/** The verbs that show what is sealed in a host's state branch. */
export const stateVerbs: readonly Verb[] = [
  stepVerb,
  {
    name: 'ledger',
    summary: 'Show what a host says of its steps and disks',
    positionals: [{ name: 'ACTION', describe: 'show', need: 'one', choices: ['show'] }, host],
    options: {
      identity,
      json,
      offline,
      step: { describe: 'print what this step wrote when it ran last', value: 'STEP' },
      yielded: { describe: 'with --step, write a file that it yielded', value: 'FILE' },
    },
    examples: [
      ['autark ledger show web1', 'its steps, disks, partitions, file systems, and who uses them'],
      ['autark ledger show web1 --step account --yielded password', 'what a step obtained'],
    ],
    exits,
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./ledger.ts')).ledger,
  },
  {
    name: 'backup',
    summary: 'List or show the backups of a host’s partition tables, volumes and file systems',
    positionals: [
      { name: 'ACTION', describe: 'list or show', need: 'one', choices: ['list', 'show'] },
      host,
      { name: 'NAME', describe: 'with show, which one', need: 'optional' },
    ],
    options: { identity, json, offline },
    examples: [
      ['autark backup list web1', 'their names'],
      ['autark backup show web1 lvm-vg0 > vg0.conf', 'one of them, as vgcfgbackup wrote it'],
    ],
    exits,
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./backup.ts')).backup,
  },
];
