import { exitCode } from '../../shared/failure.ts';
import type { OptionForm, Verb } from './verb.ts';

const json: OptionForm = { describe: 'print one JSON value' };
const push: OptionForm = { describe: 'push the commit' };

export const identity: OptionForm = {
  value: 'FILE',
  describe: 'the key that opens secrets; git config autark.identity, or your signing key, if not given',
};

/** Who gets a secret, and how it is placed there. */
const placing: Readonly<Record<string, OptionForm>> = {
  host: { value: 'HOST', repeats: true, describe: 'a host that gets it; with --each, whose value it is' },
  group: { value: 'G', repeats: true, describe: 'a group of hosts that get it' },
  owner: { value: 'USER[:GROUP]', describe: 'whose file it is on the host; root:root if not given' },
  mode: { value: 'MODE', describe: 'its permissions in octal; 0400 if not given' },
  path: { value: 'PATH', describe: 'a link to it on the host' },
  restart: { value: 'UNIT', repeats: true, describe: 'a unit to restart when the value changes' },
  reload: { value: 'UNIT', repeats: true, describe: 'a unit to reload when the value changes' },
  each: { describe: 'each host has a value of its own' },
  early: { describe: 'it is there before users are made' },
};

const secretActions = ['set', 'edit', 'show', 'list', 'remove', 'import'];

/** The verbs that seal and open. */
export const secretVerbs: readonly Verb[] = [
  {
    name: 'secret',
    summary: 'Seal values in Git for the hosts that need them',
    positionals: [
      {
        name: 'ACTION',
        describe: `${secretActions.slice(0, -1).join(', ')} or import`,
        need: 'one',
        choices: secretActions,
      },
      { name: 'NAME', describe: 'the name of the secret; all with list', need: 'optional' },
      { name: 'FILE', describe: 'with import, the file of `age` that holds the value', need: 'optional' },
    ],
    options: { ...placing, identity, json, push },
    examples: [
      ['pwgen -s 32 1 | autark secret set db-password --group web --push', 'a new value from standard input'],
      ['autark secret edit db-password', 'in $EDITOR, on a file in memory'],
      ['autark secret import db-password old.age --host db1', 'what agenix or `age` sealed to you'],
    ],
    exits: [[62, 'your key opens none of it']],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./secret.ts')).secret,
  },
  {
    name: 'rekey',
    summary: 'Seal anew what is not sealed to whom fleet.yaml names, and nothing else',
    options: {
      identity,
      'remove-undeclared': { describe: 'delete sealed files that no secret in fleet.yaml has any more' },
      push,
    },
    exits: [[62, 'your key opens not all of it']],
    exitFor: (failure) => exitCode(failure.kind),
    load: async () => (await import('./rekey.ts')).rekey,
  },
];
