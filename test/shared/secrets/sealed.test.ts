import { expect, test } from 'vitest';
import type { Fleet } from '../../../shared/fleet/fleet.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { keyOf, sealedFiles } from '../../../shared/secrets/sealed.ts';
import { formatPrivateKey, parsePrivateKey } from '../../../shared/trust/ssh-key.ts';

/** The public key of a seed that is this byte 32 times. */
function keyFrom(byte: number): string {
  const parsed = parsePrivateKey(formatPrivateKey(new Uint8Array(32).fill(byte), '', 1));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value.line;
}
const [alice, web1, web2, db1, old1] = [1, 2, 3, 4, 5].map(keyFrom) as [
  string,
  string,
  string,
  string,
  string,
];

function fleetOf(secrets: string, readers = `[${alice} alice]`): Fleet {
  const text = `version: 1
fleet: 0f9cba9876543210fedcba9876543210
readers: ${readers}
groups: { web: , db: }
hosts:
  web1: { key: ${web1}, groups: [web] }
  web2: { key: ${web2}, groups: [web] }
  db1: { key: ${db1}, groups: [db] }
  new1: { groups: [web] }
  old1: { key: ${old1}, groups: [web], retired: true }
secrets:
${secrets}
`;
  const parsed = parseFleet(text, { file: 'fleet.yaml', version: '0.2.0' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure));
  return parsed.value;
}

test('a file is sealed to the readers and to the hosts that are named or in a group, each once and no other', () => {
  const files = sealedFiles(fleetOf('  db-password: { groups: [web], hosts: [db1, web1] }'));
  expect(files).toEqual([
    {
      path: 'secrets/db-password.age',
      secret: 'db-password',
      recipients: [alice, web1, web2, db1].map(keyOf).sort(),
    },
  ]);
});

test('where each host has a value of its own, each has a file that no other host opens', () => {
  const files = sealedFiles(fleetOf('  tls-key: { groups: [web], each: true }'));
  expect(files.map(({ path, host, recipients }) => [path, host, recipients])).toEqual([
    ['secrets/web1/tls-key.age', 'web1', [alice, web1].map(keyOf).sort()],
    ['secrets/web2/tls-key.age', 'web2', [alice, web2].map(keyOf).sort()],
    // It has no key yet: its value waits for it, sealed to the readers.
    ['secrets/new1/tls-key.age', 'new1', [keyOf(alice)]],
  ]);
});

test('a secret of no host is one of the readers alone; a comment is no part of a key', () => {
  const recovery = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';
  const [file] = sealedFiles(fleetOf('  notes:', `[${alice} alice, ${recovery}]`));
  expect(file?.recipients).toEqual([recovery, keyOf(alice)].sort());
});

test('what is not said of a secret is root’s alone, and read by nobody else', () => {
  const { secrets } = fleetOf('  notes:');
  expect(secrets.get('notes')).toEqual({
    ...{ name: 'notes', hosts: [], owner: 'root', group: 'root', mode: 0o400 },
    ...{ restart: [], reload: [], early: false, each: false },
  });
});

test.each([
  ['apart, by name and by group', 'hosts: [web1]', 'groups: [db]', true],
  ['both on one host, by its group', 'hosts: [db1]', 'groups: [db]', false],
  ['one that nobody gets yet', 'hosts: [web1]', 'groups: [mail]', false],
])('two secrets with one path: %s', (_what, one, two, isTaken) => {
  const text = `version: 1
fleet: 0f9cba9876543210fedcba9876543210
groups: { db: , mail: }
hosts: { web1: {}, db1: { groups: [db] } }
secrets:
  one: { path: /etc/app/key, ${one} }
  two: { path: /etc/app/key, ${two} }
`;
  expect(parseFleet(text, { file: 'fleet.yaml', version: '0.2.0' }).ok).toBe(isTaken);
});

test.each([
  ['/run/autark/secrets/x', /lies where autark keeps its own files/],
  ['/var/run/autark/secrets/zz', /lies where autark keeps its own files/],
  ['/var/run', /lies where autark keeps its own files/],
  ['/var/lib/autark', /lies where autark keeps its own files/],
  ['/etc', /lies where autark keeps its own files/],
  ['/etc/app/one', /path of secrets\.one/],
  ['/etc/app/one/below', /path of secrets\.one/],
])('the path %s is refused beside /etc/app/one', (path, cause) => {
  const text = `version: 1
fleet: 0f9cba9876543210fedcba9876543210
secrets:
  one: { path: /etc/app/one }
  two: { path: ${path} }
`;
  const parsed = parseFleet(text, { file: 'fleet.yaml', version: '0.2.0' });
  expect(parsed.ok).toBe(false);
  if (!parsed.ok) {
    expect(parsed.failure).toHaveLength(1);
    expect(parsed.failure[0]).toMatchObject({ line: 5, key: 'secrets.two.path' });
    expect(parsed.failure[0]?.cause).toMatch(cause);
  }
});
