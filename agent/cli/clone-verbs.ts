import { exitCode } from '../../shared/failure.ts';
import { identity, secretVerbs } from './secret-verbs.ts';
import { stateVerbs } from './state-verbs.ts';
import type { OptionForm, PositionalForm, Verb } from './verb.ts';

const json: OptionForm = { describe: 'print one JSON value' };
const push: OptionForm = { describe: 'push the commit' };
const key: OptionForm = { value: 'FILE', describe: 'your SSH key, private or .pub' };
const verdicts = [
  [20, 'the revision is not authentic'],
  [21, 'fleet.yaml, allowed_signers or the tree is not valid'],
] as const;
const host: PositionalForm = { name: 'HOST', describe: 'the name of a host', need: 'one' };

const hosts: readonly PositionalForm[] = [{ name: 'HOST', describe: 'these hosts', need: 'some' }];

/** What a host shall be. */
const declaring: Readonly<Record<string, OptionForm>> = {
  system: { value: 'KIND', choices: ['nixos', 'exec'], describe: 'how its system is built' },
  attr: {
    value: 'NAME',
    describe: 'with nixos, the name in nixosConfigurations; the host’s if not given',
  },
  build: { value: 'FILE', describe: 'with exec, the build program, a path in the repository' },
  group: { value: 'G', repeats: true, describe: 'a group of the host' },
};

/** The verbs of a clone. */
export const cloneVerbs: readonly Verb[] = [
  {
    name: 'init',
    summary: 'Make the fleet in this clone: who may sign, fleet.yaml, the introduction',
    options: {
      key,
      branch: { value: 'NAME', describe: 'the configuration branch; main if not given' },
      'second-key': { value: 'FILE', describe: 'the public key of a second signer, kept offline' },
      again: { describe: 'begin anew on this branch, because every key that could sign is lost' },
      yes: { describe: 'with --again, do not ask' },
      push,
    },
    examples: [['autark init --key ~/.ssh/id_ed25519 --push', 'a new fleet, known to the server']],
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'join',
    summary: 'Set this clone to sign commits with your SSH key, and to check what you push',
    options: { key },
    examples: [['autark join --key ~/.ssh/id_ed25519', 'before your first commit in a new clone']],
    load: async () => (await import('./join.ts')).join,
  },
  {
    name: 'check',
    summary: 'Give a host’s verdict on a revision, before it is pushed',
    positionals: [{ name: 'REV', describe: 'the revision; HEAD if not given', need: 'optional' }],
    options: {
      introduction: {
        value: 'COMMIT',
        describe: 'where the fleet begins; as this clone knows it if not given',
      },
      floor: {
        value: 'COMMIT',
        describe: 'what hosts have accepted if it is authentic: the revision must descend from it',
      },
      quiet: { describe: 'print nothing when all is well' },
      json,
    },
    examples: [
      ['autark check', 'what you committed last'],
      ['autark check --introduction COMMIT --json', 'in a pipeline, with the whole history fetched'],
    ],
    exits: verdicts,
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./check.ts')).check,
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
      ...declaring,
      identity,
      replace: { describe: 'it takes the place of the machine that is approved now' },
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
    name: 'invite',
    summary: 'Print the line that makes a new machine known',
    positionals: [{ name: 'HOST', describe: 'the name that the machine will have', need: 'one' }],
    options: {
      remote: {
        value: 'URL',
        describe: 'as the machine reaches the repository; as this clone does if not given',
      },
      key: { value: 'FILE', describe: 'the public key that it will hold: approves it before it is born' },
      ...declaring,
      identity,
      push,
    },
    examples: [
      ['autark invite web7', 'then run on web7 what it prints'],
      ['autark invite web7 --key web7.pub --system nixos --push', 'for an image that holds the key'],
    ],
    load: async () => (await import('./invite.ts')).invite,
  },
  {
    name: 'retire',
    summary: 'Let a host go: it records that, and stops for good',
    positionals: [host],
    options: { yes: { describe: 'do not ask for its name' }, identity, push },
    load: async () => (await import('./retire.ts')).retire,
  },
  {
    name: 'pause',
    summary: 'Let hosts follow nothing for a while',
    positionals: hosts,
    options: {
      reason: { value: 'TEXT', describe: 'why; every status shows it' },
      until: { value: 'TIME', describe: 'when it ends by itself: 2h, 3d, or RFC 3339' },
      push,
    },
    examples: [['autark pause db1 db2 --reason "disk swap" --until 4h --push', 'until tonight']],
    load: async () => (await import('./pause.ts')).pause,
  },
  {
    name: 'unpause',
    summary: 'Let hosts follow the branch again',
    positionals: hosts,
    options: { push },
    load: async () => (await import('./pause.ts')).unpause,
  },
  {
    name: 'promote',
    summary: 'Sign what others merged, as one commit that hosts follow',
    positionals: [
      {
        name: 'COMMIT',
        describe: 'whose tree it takes; what the server’s branch holds if not given',
        need: 'optional',
      },
    ],
    options: { yes: { describe: 'do not ask after showing the difference' }, push },
    examples: [
      ['autark promote origin/develop --push', 'people and bots merge on develop; hosts follow main'],
      ['autark promote --push', 'after somebody merged on main by a web page'],
    ],
    load: async () => (await import('./promote.ts')).promote,
  },
  {
    name: 'admin',
    summary: 'Say who may sign',
    positionals: [
      { name: 'ACTION', describe: 'add or remove', need: 'one', choices: ['add', 'remove'] },
      { name: 'NAME', describe: 'what they go by, such as an e-mail address', need: 'one' },
    ],
    options: {
      key: { value: 'FILE', describe: 'with add, their public key' },
      yes: { describe: 'do not ask' },
      identity,
      push,
    },
    examples: [
      ['autark admin add bob@example.org --key bob.pub --push', 'they sign above this commit'],
      ['autark admin add offline --key usb/fleet.pub --push', 'for the day that your own key is lost'],
    ],
    load: async () => (await import('./admin.ts')).admin,
  },
  ...secretVerbs,
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
  ...stateVerbs,
];
