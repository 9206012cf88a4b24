/**
 * What a value must be, in the words of an error: "KEY must be EXPECTED, not …; REMEDY". The schema names a
 * rule where valibot would have a message.
 */
export interface Rule {
  readonly expected: string;
  readonly remedy: string;
}

const unit = 'write a whole number above 0 and a unit: ms, s, m, h or d';
const inTree = 'write it relative to the root of the repository, with neither `..` nor a leading `-`';
const onHost = 'write the whole path, from the first /, without `.`, `..` or a double /';

export const rules = {
  activate: { expected: '`switch` or `boot`', remedy: 'write one of the two' },
  attr: {
    expected: 'the name of a Nix attribute',
    remedy: 'use letters, digits, _, - and ’, as in nixosConfigurations',
  },
  boolean: { expected: '`true` or `false`', remedy: 'write one of the two, without quotes' },
  branch: {
    expected: 'the name of a branch, none of `state`, `testing`, `enroll` nor below them',
    remedy: 'name the branch that holds the configuration, such as main, without refs/heads/',
  },
  credential: {
    expected: 'the name of an environment variable',
    remedy: 'use letters, digits and _, such as ROBOT_USER',
  },
  device: {
    expected: 'a device below /dev/',
    remedy: 'name it by a link that never changes, such as /dev/disk/by-id/…',
  },
  directory: { expected: 'a folder of the repository, or `.`', remedy: inTree },
  drift: { expected: '`report` or `correct`', remedy: 'write one of the two' },
  duration: { expected: 'a duration such as 30s, 5m or 2h', remedy: unit },
  fleet: {
    expected: 'the fleet’s id, 32 hexadecimal digits',
    remedy: 'restore the id that `autark init` wrote',
  },
  group: {
    expected: 'a name of lower-case letters, digits and -',
    remedy: 'write at most 63 of them; - neither first nor last',
  },
  hash: {
    expected: 'a whole commit id, 40 hexadecimal digits',
    remedy: 'write it in full and in quotes, as `git rev-parse` prints it',
  },
  heartbeat: {
    expected: 'a duration such as 24h, or `never`',
    remedy: `${unit}; or never for machines that sleep`,
  },
  hostPath: { expected: 'an absolute path', remedy: onHost },
  tcp: {
    expected: 'HOST:PORT, with a port from 1 to 65535',
    remedy: 'write it as 127.0.0.1:5432, or [::1]:5432 for IPv6',
  },
  http: {
    expected: 'an http:// or https:// address',
    remedy: 'write it in full, such as http://127.0.0.1/healthz',
  },
  keep: { expected: 'a whole number from 0 to 1000', remedy: 'write the number without quotes' },
  key: {
    expected: 'an SSH public key: `ssh-ed25519 BASE64`',
    remedy: 'copy the line of the .pub file, or let `autark approve` write it',
  },
  kind: { expected: '`nixos` or `exec`', remedy: 'write one of the two' },
  mode: {
    expected: 'a file mode in quotes, such as "0400"',
    remedy: 'write four octal digits in quotes, the first of them 0',
  },
  name: {
    expected: 'a name of lower-case letters, digits and -',
    remedy: 'write at most 63 of them; - neither first nor last',
  },
  owner: {
    expected: 'the name of a user or group, or its number, at most 4294967294',
    remedy: 'write it as the machine knows it; a number needs quotes',
  },
  path: { expected: 'a path in the repository', remedy: inTree },
  reader: {
    expected: 'a key: `ssh-ed25519 BASE64`, `age1…` or `age1pq1…`',
    remedy: 'copy the line of the .pub file, or the public key that age-keygen prints',
  },
  readerDamaged: {
    expected: 'a whole key (the checksum, the length or the content of this one is wrong)',
    remedy: 'copy the public key once more from its .pub file, or from what age-keygen printed',
  },
  readerHardware: {
    expected: 'a key that can open (one in a hardware token signs alone)',
    remedy: 'name an ssh-ed25519 or age1… key of the same person instead',
  },
  readerOtherSsh: {
    expected: 'an SSH key of type ssh-ed25519 (to other types nothing is sealed here)',
    remedy:
      'name another key of the same person: one of that type (ssh-keygen -t ed25519), or age1… (age-keygen)',
  },
  readerPlugin: {
    expected: 'a key that needs neither a plugin of age nor a hardware token (hosts have none)',
    remedy: 'name age1… without a second 1 (age-keygen), age1pq1…, or ssh-ed25519',
  },
  readerPrivate: {
    expected: 'a public key',
    remedy: 'put the public one there, and make a new key if others may have seen this one',
  },
  release: {
    expected: 'a release of autark, such as 1.4',
    remedy: 'write up to three numbers with dots between them',
  },
  remote: {
    expected: 'an address that Git can fetch from, neither an option nor a remote helper (`ext::…`)',
    remedy:
      'write an address such as ssh://git@example.org/fleet.git, https://… or a folder; in an https user or password `/` is %2F and `@` is %40, and a token goes into tokenFile, not behind a `?`',
  },
  retries: { expected: 'a whole number from 0 to 1000', remedy: 'write the number without quotes' },
  text: {
    expected: 'a line of text',
    remedy: 'write it on one line; in quotes if it looks like anything else than text',
  },
  time: {
    expected: 'a time such as 2027-01-05T08:00Z',
    remedy: 'write date, T, time, and Z or an offset (RFC 3339)',
  },
  true: { expected: '`true`', remedy: 'write true, or remove the key' },
  unit: { expected: 'the name of a systemd unit', remedy: 'write it with its suffix, such as nginx.service' },
  version: { expected: '1', remedy: 'write `version: 1`, the one format there is' },
  wait: { expected: 'a duration of at most 24d, such as 30s, 5m or 2h', remedy: unit },
} as const satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;

/** The rule that a valibot issue names as its message. */
export function ruleNamed(message: string): Rule | undefined {
  return Object.hasOwn(rules, message) ? rules[message as RuleName] : undefined;
}
