import { exitCode } from '../../shared/failure.ts';
import type { Verb } from './verb.ts';

/** The verbs of a host; `agent` exits with the code that its records carry. */
export const hostVerbs: readonly Verb[] = [
  {
    name: 'enroll',
    summary: 'Make this machine known to a fleet',
    options: {
      remote: { value: 'URL', describe: 'the fleet repository: anything Git can fetch from' },
      host: { value: 'NAME', describe: 'the name of this machine in the fleet' },
      introduction: { value: 'COMMIT', describe: 'the commit that init printed' },
      floor: { value: 'COMMIT', describe: 'the newest revision known now' },
      branch: { value: 'NAME', describe: 'the configuration branch; main if not given' },
      key: { value: 'FILE', describe: 'the key of this machine' },
      'new-key': { value: 'FILE', describe: 'another key for this machine; made if there is none' },
      resume: { describe: 'this machine goes on with the records that its key signed' },
      'install-to': { value: 'FILE', describe: 'FILE becomes the agent; the single file must be running' },
      'no-service': { describe: 'install and start no units' },
      uninstall: {
        describe: 'stop and remove the units and FILE; what this machine knows of its fleet stays',
      },
    },
    examples: [
      ['autark enroll --remote URL --host web1 --introduction COMMIT', 'the first call on a new machine'],
      [
        'node autark.mjs enroll --install-to /usr/local/bin/autark …',
        'from a single file that was copied here',
      ],
      ['autark enroll', 'again, after it was interrupted or refused'],
      ['autark enroll --new-key /etc/autark/key', 'this machine shall have another key'],
      ['autark enroll --uninstall', 'this machine shall follow its repository no more'],
      ['autark enroll --resume', 'after a code 12, on the machine that shall go on; or without its journal'],
    ],
    exits: [
      [10, 'this machine has a history that nothing here remembers, or none to resume'],
      [11, 'an agent is running'],
      [20, 'the server shows a configuration that is not authentic'],
      [22, 'this machine is enrolled as another host'],
      [50, 'the remote is unreachable (51: push refused)'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./enroll.ts')).enroll,
  },
  {
    name: 'agent',
    summary: 'Run the agent of this machine',
    options: { once: { describe: 'run one cycle and exit with its code' } },
    exits: [
      [10, 'held'],
      [11, 'another agent holds this root'],
      [12, 'the state branch diverged'],
      [13, 'retired or replaced'],
      [20, 'the revision is not authentic'],
      [21, 'the configuration is invalid'],
      [22, 'this machine is not that host'],
      [30, 'the build failed (31: timed out)'],
      [40, 'switch or health check failed, back on the last good generation (41: could not go back)'],
      [50, 'the remote is unreachable (51: push refused)'],
      [52, 'no space'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./agent.ts')).agent,
  },
  {
    name: 'rollback',
    summary: 'Go back to the previous generation now, and stay there',
    options: { yes: { describe: 'do not ask' } },
    exits: [
      [11, 'another autark is at work, and did not end within 60 s'],
      [
        40,
        'the previous generation could not be activated, what ran runs (41: it could not go back to that)',
      ],
      [52, 'no space'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./rollback.ts')).rollback,
  },
  {
    name: 'hold',
    summary: 'Keep the agent of this machine from activating anything',
    options: {
      reason: { value: 'TEXT', describe: 'why: it goes into the records' },
      until: { value: 'TIME', describe: 'when it ends by itself: 2h, 3d, or RFC 3339' },
    },
    examples: [['autark hold --reason "disk swap" --until 2h', 'works offline, beside a running agent']],
    exits: [
      [11, 'held, but an activation that had begun did not end within 60 s'],
      [52, 'no space'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./hold.ts')).hold,
  },
  {
    name: 'resume',
    summary: 'End a hold or a rollback, and let a system that failed be tried once more',
    examples: [
      ['autark resume', 'the agent follows its branch again; works offline, beside a running agent'],
    ],
    exits: [
      [11, 'no hold is in force, but the agent is at work: what failed is not forgotten yet; run it again'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./hold.ts')).resume,
  },
  {
    name: 'secrets',
    summary: 'Place the secrets of this machine, as its boot does',
    positionals: [
      {
        name: 'WHAT',
        describe: 'install: those of the current generation',
        need: 'one',
        choices: ['install'],
      },
    ],
    options: {
      early: { describe: 'before users are made: nothing where some are placed already' },
      system: { describe: 'those of the generation that has this system, where one does', value: 'PATH' },
    },
    examples: [
      ['autark secrets install', 'by the unit autark-secrets, offline; by hand after the key was put back'],
    ],
    exits: [[62, 'a secret cannot be opened; the others are placed']],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./secrets-install.ts')).secretsInstall,
  },
  {
    name: 'doctor',
    summary: 'Look at this host, or at this clone, and say what to mend',
    options: { json: { describe: 'print one JSON value' } },
    examples: [
      [
        'autark doctor',
        'on a machine: keys, remote, clock, disk, units, Nix, load; in a clone: signing and the like',
      ],
      ['autark doctor --json', 'for a script; exit 0 when nothing is to be mended'],
    ],
    exits: [
      [1, 'something is to be mended; or the code of the first such thing, as in records:'],
      [2, 'agent.yaml or the host key cannot be used; or there is neither a host nor a clone here'],
      [10, 'held: the journal, or what the agent last found'],
      [50, 'the remote is unreachable'],
      [52, 'no space'],
    ],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./doctor.ts')).doctor,
  },
];
