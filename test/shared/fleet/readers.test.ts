import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { isWholeRecipient } from '../../../shared/secrets/recipient.ts';
import { findings, marked, places } from './marks.ts';
import { fleetYaml, recipient } from './sample.ts';

function publicKey(name: string): string {
  return readFileSync(new URL(`../../fixtures/ssh/${name}.pub`, import.meta.url), 'utf8').trim();
}

function sshOf(point: string): string {
  const blob = Buffer.from(`0000000b${Buffer.from('ssh-ed25519').toString('hex')}00000020${point}`, 'hex');
  return `ssh-ed25519 ${blob.toString('base64')}`;
}

const token = 'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t me';

// What is copied right and cannot be used is told why; what cannot be sealed to is found before a host seals its ledger to it.
test.each([
  ['an RSA key', publicKey('rsa'), /of type ssh-ed25519/, /ssh-keygen -t ed25519/],
  ['an ECDSA key', publicKey('ecdsa'), /of type ssh-ed25519/, /ssh-keygen -t ed25519/],
  ['a key in a hardware token', token, /a hardware token signs/, /instead/],
  ['a recipient of a plugin', `age1yubikey1${'q'.repeat(58)}`, /a plugin of age/, /age-keygen/],
  ['a private key', `AGE-SECRET-KEY-1${'Q'.repeat(58)}`, /must be a public key/, /make a new key/],
  ['a checksum that is wrong', `age1${'q'.repeat(58)}`, /checksum/, /copy the public key once more/],
  [
    'a letter that was mistyped',
    recipient.replace('zvkyg', 'zvkyq'),
    /checksum/,
    /copy the public key once more/,
  ],
  ['a letter too few', recipient.replace('zvkyg', 'zvky').concat('q'), /checksum/, /copy the public key/],
  ['a post-quantum key that is cut short', `age1pq1${'q'.repeat(80)}`, /length/, /copy the public key/],
  // y = 2 is on no curve point: (y² − 1) / (d·y² + 1) is no square.
  ['an SSH key that is no point', sshOf('02'.padEnd(64, '0')), /content/, /copy the public key/],
  ['something else', 'alice', /`ssh-ed25519 BASE64`/, /\.pub file/],
])('as a reader %s is refused with its line and the reason', (_what, line, why, next) => {
  const { text, places: expected } = marked(fleetYaml('readers:', `  - ${recipient}`, `  - ▸${line}`));
  const found = findings(text);
  expect(found.map(({ key }) => key)).toEqual(['readers[1]']);
  expect(places(found)).toEqual(expected);
  expect(found[0]?.cause).toMatch(why);
  expect(found[0]?.remedy).toMatch(next);
  expect(JSON.stringify(found)).not.toContain('QQQQ');
});

test('good keys of each kind are taken', () => {
  for (const line of [recipient, publicKey('alice')]) expect(isWholeRecipient(line)).toBe(true);
  const text = fleetYaml('readers:', `  - ${recipient}`, `  - ${publicKey('alice')}`);
  expect(parseFleet(text, { file: 'fleet.yaml', version: '0.2.0' }).ok).toBe(true);
});
