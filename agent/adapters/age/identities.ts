import { readFile } from 'node:fs/promises';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import { fromBech32 } from '../../../shared/secrets/bech32.ts';
import { parseLockedKey } from '../../../shared/trust/locked-key.ts';
import { parsePrivateKey } from '../../../shared/trust/ssh-key.ts';
import type { Opener } from '../../secret-ports.ts';
import { fileFailure } from '../file-failure.ts';
import { loadHostKey } from '../sign.ts';
import type { Key } from './key.ts';
import { lockedIdentity, type Ask } from './locked-identity.ts';
import { openerFor } from './opener.ts';
import { sshIdentity } from './ssh-identity.ts';
import { x25519Identity } from './x25519.ts';

/**
 * The keys in a person's file: one SSH key of type Ed25519, or an identity file of age. A passphrase is asked for
 * when something that may be sealed to the key is opened, and not before.
 */
export async function identitiesIn(file: string, ask: Ask): Promise<Result<readonly Key[]>> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    return fail({ ...fileFailure(error, 'read the private key', file), kind: 'secret-unopened' });
  }
  if (/^(age-encryption\.org\/|-----BEGIN AGE ENCRYPTED)/.test(text)) return fail(sealedItself(file));
  if (/^age1/.test(text)) return fail(unusable(isPublic, file));
  if (/^(-----BEGIN|ssh-|sk-|ecdsa-)/.test(text)) return sshKeyIn(text, file, ask);
  return ageKeysIn(text, file);
}

/** A host's own key, which must open what is sealed to it without a person. */
export async function hostOpener(keyFile: string): Promise<Result<Opener>> {
  const key = await loadHostKey(keyFile);
  return key.ok ? ok(openerFor([sshIdentity(key.value)])) : key;
}

function sshKeyIn(text: string, file: string, ask: Ask): Result<readonly Key[]> {
  const locked = parseLockedKey(text);
  if (!locked.ok) return fail(unusable(locked.failure.message, file));
  if (locked.value !== null) return ok([lockedIdentity(locked.value, file, ask)]);
  const key = parsePrivateKey(text);
  return key.ok ? ok([sshIdentity(key.value)]) : fail(unusable(key.failure.message, file));
}

function ageKeysIn(text: string, file: string): Result<readonly Key[]> {
  const keys: Key[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const key = ageKey(line);
    if (!key.ok) return fail(unusable(key.failure, `${file}:${index + 1}`));
    keys.push(key.value);
  }
  return keys.length === 0 ? fail(unusable('there is no private key in the file', file)) : ok(keys);
}

function ageKey(line: string): Result<Key, string> {
  if (line.startsWith('AGE-PLUGIN-')) {
    return fail('the key needs a plugin of age or a hardware token, which this program does not have');
  }
  if (/^age1/.test(line)) return fail(isPublic);
  if (!line.startsWith('AGE-SECRET-KEY-')) return fail('this line is no private key of age or SSH');
  const decoded = fromBech32(line);
  if (decoded?.bytes.length !== 32) return fail(isDamaged);
  if (decoded.prefix === 'age-secret-key-') return ok(x25519Identity(decoded.bytes));
  return isPostQuantum(line) && decoded.prefix === 'age-secret-key-pq-' ? ok(line) : fail(isDamaged);
}

function isPostQuantum(line: string): line is `AGE-SECRET-KEY-PQ-1${string}` {
  return line.startsWith('AGE-SECRET-KEY-PQ-1');
}

const isPublic = 'this is a public key; name the file with the private one (AGE-SECRET-KEY-1…)';
const isDamaged = 'the private key is damaged: its checksum or its length is wrong';

function unusable(message: string, where: string): Failure {
  return {
    kind: 'secret-unopened',
    cause: `nothing can be opened with this key: ${oneLine(message)}`,
    where,
    remedy:
      'name the file of an ssh-ed25519 key or of age-keygen that secrets are sealed to (--identity, or git config autark.identity)',
  };
}

function sealedItself(where: string): Failure {
  return {
    kind: 'secret-unopened',
    cause: 'the file with the key is sealed itself',
    where,
    remedy: `open it onto a file in memory (age -d -o /dev/shm/key ${where}), name that one, and remove it afterwards`,
  };
}
