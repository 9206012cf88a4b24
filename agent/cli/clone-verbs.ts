import { exitCode } from '../../shared/failure.ts';
import type { OptionForm, PositionalForm, Verb } from './verb.ts';

const json: OptionForm = { describe: 'print one JSON value' };
const push: OptionForm = { describe: 'push the commit' };
const key: OptionForm = { value: 'FILE', describe: 'your SSH key, private or .pub' };
const host: PositionalForm = { name: 'HOST', describe: 'the name of a host', need: 'one' };

/** The verbs of a clone. */
export const cloneVerbs: readonly Verb[] = [
  {
    name: 'init',
    summary: 'Make the fleet in this clone: who may sign, fleet.yaml, the introduction',
    options: {
      key,
      branch: { value: 'NAME', describe: 'the configuration branch; main if not given' },
      push,
    },
    examples: [['autark init --key ~/.ssh/id_ed25519 --push', 'a new fleet, known to the server']],
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'join',
    summary: 'Set this clone to sign commits with your SSH key',
    options: { key },
    examples: [['autark join --key ~/.ssh/id_ed25519', 'before your first commit in a new clone']],
    load: async () => (await import('./join.ts')).join,
  },
  {
    name: 'approve',
    summary: 'Write a waiting machine into fleet.yaml, once its fingerprint is compared',
    positionals: [host],
    options: {
      fingerprint: {
        value: 'SHA256:…',
        describe: 'the fingerprint that the machine printed; required without a terminal',
      },
      system: { value: 'KIND', choices: ['nixos', 'exec'], describe: 'how its system is built' },
      attr: {
        value: 'NAME',
        describe: 'with nixos, the name in nixosConfigurations; the host’s if not given',
      },
      build: { value: 'FILE', describe: 'with exec, the build program, a path in the repository' },
      group: { value: 'G', repeats: true, describe: 'a group of the host' },
      yes: { describe: 'answer all questions but the fingerprint' },
      push,
    },
    examples: [
      ['autark approve web1 --push', 'compare, answer, push'],
      ['autark approve pi --fingerprint SHA256:… --build hosts/pi/build', 'without a terminal'],
    ],
    load: async () => (await import('./approve.ts')).approve,
  },
  {
    name: 'status',
    summary: 'Show the fleet, one line a host',
    positionals: [{ name: 'HOST', describe: 'only these hosts', need: 'any' }],
    options: {
      json,
      watch: { describe: 'show it again whenever it changes, until Ctrl-C' },
      offline: { describe: 'show what this clone knows already' },
    },
    examples: [['autark status --watch', 'follow a push as the hosts take it']],
    exits: [
      [0, 'all well; else the sum of'],
      [1, 'a host failed'],
      [2, 'a host is behind'],
      [4, 'a host is silent'],
      [8, 'a record is not verified'],
      [16, 'a host is held or paused'],
      [64, 'the status itself could not be made'],
    ],
    exitFor: () => 64,
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'log',
    summary: 'Show what happened, newest first',
    positionals: [{ name: 'HOST', describe: 'only this host', need: 'optional' }],
    options: {
      since: { value: 'TIME', describe: 'only since then: 2h, 3d, or RFC 3339' },
      event: { value: 'EVENT', describe: 'only this event, such as deployed or failed' },
      revision: { value: 'COMMIT', describe: 'only where this revision ran or was tried' },
      json,
    },
    examples: [['autark log web1 --since 2d', 'the last two days of web1']],
    load: async () => (await import('./log.ts')).log,
  },
  {
    name: 'verify',
    summary: 'Check every commit and every record, from the introduction on',
    options: { json },
    examples: [['autark verify --json', 'for a script that keeps watch']],
    exits: [
      [20, 'something is not authentic, was set back, or differs between hosts'],
      [21, 'fleet.yaml is not valid'],
      [50, 'the remote is unreachable'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./verify.ts')).verify,
  },
];
