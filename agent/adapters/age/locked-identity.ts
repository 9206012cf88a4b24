import type { Identity, Stanza } from 'age-encryption';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import type { LockedKey } from '../../../shared/trust/locked-key.ts';
import type { LockedIdentity } from './key.ts';
import { isFor, sshIdentity } from './ssh-identity.ts';
import { sshStanza } from './ssh-recipient.ts';

/** Asks a person for a line that is not shown; empty when there is no answer. */
export type Ask = (question: string) => Promise<string>;

const attempts = 3;

/** An SSH key with a passphrase, which is asked for once, when the first file that may be sealed to it is opened. */
export function lockedIdentity(key: LockedKey, file: string, ask: Ask): LockedIdentity {
  let asked: Promise<Result<Identity>> | undefined;
  return {
    unlockFor: async (stanzas) => {
      if (!mayBeFor(key, stanzas)) return ok(null);
      asked ??= unlock(key, file, ask);
      return asked;
    },
  };
}

/**
 * Its own kind says whose it is. A file without any may be sealed to what ssh-to-age made of the key, which only the
 * private half can tell.
 */
function mayBeFor({ publicBlob }: LockedKey, stanzas: readonly Stanza[]): boolean {
  const types = stanzas.map(({ args }) => args[0]);
  if (!types.includes(sshStanza)) return types.includes('X25519');
  return stanzas.some((stanza) => isFor(publicBlob, stanza));
}

async function unlock(key: LockedKey, file: string, ask: Ask): Promise<Result<Identity>> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const again = attempt === 1 ? '' : 'That was not it. ';
    const passphrase = await ask(`${again}Passphrase for ${file}:`);
    if (passphrase === '') return fail(unanswered(file));
    const opened = key.unlock(await derive(key, Buffer.from(passphrase, 'utf8')));
    if (opened !== undefined) return ok(sshIdentity(opened));
  }
  return fail(wrong(file));
}

async function derive({ salt, rounds, length }: LockedKey, passphrase: Uint8Array): Promise<Uint8Array> {
  const { default: bcrypt } = await import('bcrypt-pbkdf');
  const material = new Uint8Array(length);
  const code = bcrypt.pbkdf(passphrase, passphrase.length, salt, salt.length, material, length, rounds);
  if (code !== 0) throw new Error('bcrypt_pbkdf refuses what was checked before');
  return material;
}

function unanswered(where: string): Failure {
  return {
    kind: 'secret-unopened',
    cause: 'the key is locked with a passphrase, and none was given',
    where,
    remedy: 'run this on a terminal and type it, or name a key without one (--identity FILE)',
  };
}

function wrong(where: string): Failure {
  return {
    kind: 'secret-unopened',
    cause: `the key stays locked: the passphrase was wrong ${attempts} times, or the file is damaged`,
    where,
    remedy: 'try again, or name another key (--identity FILE)',
  };
}
