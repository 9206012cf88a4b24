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

/** The verbs that show what is sealed in a host's state branch. */
export const stateVerbs: readonly Verb[] = [
  {
    name: 'ledger',
    summary: 'Show what a host says of its disks',
    positionals: [{ name: 'ACTION', describe: 'show', need: 'one', choices: ['show'] }, host],
    options: { identity, json, offline },
    examples: [['autark ledger show web1', 'disks, partitions, file systems, and who uses them']],
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
