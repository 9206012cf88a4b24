import { describe, expect, test } from 'vitest';
import { formatAllowedSigner, parseAllowedSigners } from '../../../shared/trust/allowed-signers.ts';
import { fixture, keyOf, token } from './fixtures.ts';

const key = keyOf('alice').line;
const sk = token('bob').line;

describe('allowed_signers', () => {
  test.each([
    [`alice ${key}`, ['alice'], key],
    [`alice@example.org ${key} a comment, of any “kind”`, ['alice@example.org'], key],
    [`alice namespaces="git" ${key}`, ['alice'], key],
    [`alice,a.l-i_c+e%x@example.org ${key} `, ['alice', 'a.l-i_c+e%x@example.org'], key],
    [`bob ${sk}`, ['bob'], sk],
    [`cert-authority ${key}`, ['cert-authority'], key],
  ])('grants: %s', (text, names, granted) => {
    expect(parseAllowedSigners(text)).toEqual({ admins: [{ names, key: granted, line: 1 }], complaints: [] });
  });

  test('skips empty lines and comments, and counts them', () => {
    const text = `# admins\n\n  # more\n \t\nalice ${key}\n\nbob ${sk}\n`;
    const { admins, complaints } = parseAllowedSigners(text);
    expect(admins.map(({ line }) => line)).toEqual([5, 7]);
    expect(complaints).toEqual([]);
  });

  test.each([
    ['a tab', `alice\t${key}`, 'a tab'],
    ['a carriage return', `alice ${key}\r`, 'carriage return'],
    ['a NUL', `alice ${key}\0 x`, 'control character'],
    ['a colour in the comment', `alice ${key} \u001b[31mx`, 'control character'],
    ['two spaces', `alice  ${key}`, 'more than one space'],
    ['a space before it', ` alice ${key}`, 'begins or ends'],
    ['a space after the options', `alice namespaces="git"  ${key}`, 'more than one space'],
    ['a certificate authority', `alice cert-authority ${key}`, 'certificate authorities'],
    ['a beginning', `alice valid-after="20200101" ${key}`, 'no dates'],
    ['an end', `alice valid-before="20990101" ${key}`, 'no dates'],
    ['git and an end', `alice namespaces="git",valid-before="20990101" ${key}`, 'no dates'],
    ['another namespace', `alice namespaces="file" ${key}`, 'only namespaces'],
    ['two namespaces', `alice namespaces="git,file" ${key}`, 'only namespaces'],
    ['a pattern of namespaces', `alice namespaces="*" ${key}`, 'only namespaces'],
    ['a namespace without quotes', `alice namespaces=git ${key}`, 'only namespaces'],
    ['capital options', `alice NAMESPACES="git" ${key}`, 'not of the form'],
    ['an unknown option', `alice no-touch-required ${key}`, 'not of the form'],
    ['a quoted name', `"alice" ${key}`, 'without quotes or patterns'],
    ['a pattern', `*@example.org ${key}`, 'without quotes or patterns'],
    ['everybody', `* ${key}`, 'without quotes or patterns'],
    ['everybody but one', `*,!bob ${key}`, 'without quotes or patterns'],
    ['a letter beyond ASCII', `zoë ${key}`, 'not of the form'],
    ['an empty name', `alice,, ${key}`, 'not of the form'],
    ['no name', key, 'not of the form'],
    ['a name alone', 'alice', 'not of the form'],
    ['an RSA key', `alice ${fixture('ssh/rsa.pub').trim()}`, 'only ssh-ed25519'],
    ['an ECDSA key', `alice ${fixture('ssh/ecdsa.pub').trim()}`, 'only ssh-ed25519'],
    ['a cut key', `alice ${key.slice(0, -8)}`, 'malformed'],
    ['a key that is not base64', `alice ${key.slice(0, -1)}=`, 'not base64'],
    ['the type of another key', `alice sk-ssh-ed25519@openssh.com ${key.split(' ')[1] ?? ''}`, 'says sk-'],
    ['a type in capitals', `alice ${key.replace('ssh-ed25519 ', 'SSH-ED25519 ')}`, 'not of the form'],
    ['a byte order mark', `\u{feff}alice ${key}`, 'not of the form'],
    ['a conflict marker', '<<<<<<< HEAD', 'not of the form'],
  ])('does not grant with %s, and says so', (_, line, reason) => {
    const { admins, complaints } = parseAllowedSigners(`# one\n${line}\nbob ${sk}\n`);
    expect(admins.map(({ names }) => names)).toEqual([['bob']]);
    expect(complaints).toEqual([{ line: 2, reason: expect.stringContaining(reason) as string }]);
  });

  test('grants nothing when it is empty', () => {
    expect(parseAllowedSigners('')).toEqual({ admins: [], complaints: [] });
  });

  test('is not slow on a hostile line', () => {
    const text = [
      `${'a,'.repeat(50_000)} ${key}`,
      `${'a'.repeat(100_000)}!`,
      `a ${' '.repeat(100_000)}`,
    ].join('\n');
    expect(parseAllowedSigners(text).admins).toEqual([]);
  });

  test('gets lines that grant', () => {
    for (const each of [key, sk]) {
      const { admins } = parseAllowedSigners(formatAllowedSigner('alice@example.org', each));
      expect(admins).toEqual([{ names: ['alice@example.org'], key: each, line: 1 }]);
    }
  });

  test.each([
    ['a b', key],
    ['', key],
    [`a ${key}\nmallory`, key],
    ['#a', key],
    ['a', 'ssh-rsa AAAA'],
    ['a', `${key}\nmallory ${sk}`],
  ])('gets no line that does not grant, or grants more: %j', (name, given) => {
    expect(() => formatAllowedSigner(name, given)).toThrow(RangeError);
  });
});
