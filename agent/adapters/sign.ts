import { randomBytes } from 'node:crypto';
import { lstat, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Failure, fail, ok, type Result } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';
import { formatPrivateKey, parsePrivateKey, type PrivateKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import type { Signer } from '../ports.ts';
import { createDurably, makeFolder, readIfThere } from './durable.ts';
import { errorCode, fileFailure } from './file-failure.ts';

/** The signer with the host's key; fails as `loadHostKey` does. */
export async function loadSigner(path: string): Promise<Result<Signer>> {
  const loaded = await loadHostKey(path);
  return loaded.ok ? ok(signerWith(loaded.value)) : loaded;
}

/** Signs with a key that is loaded already. */
export function signerWith(key: PrivateKey): Signer {
  return { key: key.line, sign: (payload) => signWith(key, 'git', payload) };
}

/**
 * The host's key from an unencrypted OpenSSH private key file of type ssh-ed25519. Fails with `agent-config`
 * when it is missing, unreadable, open to others, encrypted, of another type or damaged.
 */
export async function loadHostKey(path: string): Promise<Result<PrivateKey>> {
  const text = await readPrivate(path);
  if (!text.ok) return text;
  const parsed = parsePrivateKey(text.value);
  return parsed.ok ? parsed : fail(unusable(parsed.failure.reason, parsed.failure.message, path));
}

async function readPrivate(path: string): Promise<Result<string>> {
  try {
    const file = await open(path, 'r');
    try {
      // As ssh(1) does: a key that others can read is not this host's alone.
      const { mode } = await file.stat();
      return (mode & 0o077) === 0 ? ok(await file.readFile('utf8')) : fail(tooOpen(mode & 0o777, path));
    } finally {
      await file.close();
    }
  } catch (error) {
    return fail(errorCode(error) === 'ENOENT' ? missing(path) : unreadable(error, path));
  }
}

function missing(where: string): Failure {
  return {
    kind: 'agent-config',
    cause: "there is no host key where the agent's settings expect it",
    where,
    remedy:
      'put the key back, name the right file as key in agent.yaml, or enrol the machine (autark enroll)',
  };
}

function unreadable(error: unknown, where: string): Failure {
  return { ...fileFailure(error, 'read the host key', where), kind: 'agent-config' };
}

function tooOpen(mode: number, where: string): Failure {
  return {
    kind: 'agent-config',
    cause: `the host key is open to other users (mode 0${mode.toString(8)})`,
    where,
    remedy: `close it with chmod 600 ${where}; if others may have read it, give this host a new key`,
  };
}

const remedies = {
  encrypted:
    'a host must sign, and open its secrets, without a person: remove the passphrase (ssh-keygen -p -N "" -f FILE) ' +
    'or name a key without one as key in agent.yaml',
  type: 'name a key of type ssh-ed25519 as key in agent.yaml (ssh-keygen -t ed25519 makes one)',
  format: 'restore the file, or name another private key in OpenSSH format as key in agent.yaml',
} as const;

function unusable(reason: keyof typeof remedies, message: string, where: string): Failure {
  return {
    kind: 'agent-config',
    cause: `the host key cannot be used: ${oneLine(message)}`,
    where,
    remedy: remedies[reason],
  };
}

/**
 * Makes a new key pair of type ssh-ed25519 without a passphrase: the private key (0600) and `PATH.pub` (0644).
 * Neither is ever overwritten. The private key comes first: with it, the other can be made again.
 */
export async function createKey(path: string, comment: string): Promise<Result<void>> {
  const text = formatPrivateKey(randomBytes(32), oneLine(comment), randomBytes(4).readUInt32BE());
  const parsed = parsePrivateKey(text);
  if (!parsed.ok) throw new Error(`a key just made cannot be read: ${parsed.failure.message}`);
  const publicLine = `${parsed.value.line} ${oneLine(comment)}`.trimEnd();
  try {
    await makeFolder(dirname(path), 0o755);
    if (await isThere(`${path}.pub`)) return fail(taken(`${path}.pub`));
  } catch (error) {
    return fail(fileFailure(error, 'make a key', path));
  }
  const made = await createDurably(path, Buffer.from(text), 0o600);
  return made.ok ? createDurably(`${path}.pub`, Buffer.from(`${publicLine}\n`), 0o644) : made;
}

/** The public half of a key pair that `createKey` made: its file, written now if a crash came between the two. */
export async function publicKeyOf(path: string): Promise<Result<string>> {
  const written = await readIfThere(`${path}.pub`);
  if (!written.ok) return written;
  if (written.value !== null) return ok(oneLine(Buffer.from(written.value).toString('utf8')));
  const secret = await readIfThere(path);
  if (!secret.ok) return secret;
  const parsed = parsePrivateKey(Buffer.from(secret.value ?? []).toString('utf8'));
  if (!parsed.ok) return fail(withoutPublic(path));
  const made = await createDurably(`${path}.pub`, Buffer.from(`${parsed.value.line}\n`), 0o644);
  return made.ok ? ok(parsed.value.line) : made;
}

function withoutPublic(where: string): Failure {
  return {
    kind: 'agent-config',
    cause: 'there is no public key beside this private key',
    where,
    remedy: `write it with ssh-keygen -y -f ${where} > ${where}.pub, or move the key away: enroll makes another`,
  };
}

function taken(where: string): Failure {
  return fileFailure(Object.assign(new Error('exists'), { code: 'EEXIST' }), 'make a key', where);
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return false;
      throw error;
    },
  );
}
