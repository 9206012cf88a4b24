import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { formatPublicKey, parsePrivateKey, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import type { AdminKey } from '../clone-ports.ts';
import type { CloneSurroundings } from './clone-git.ts';
import { ownerOf } from './clone-identity.ts';
import { signWithSshKeygen } from './clone-sign.ts';

export interface KeyPlaces {
  readonly env: CloneSurroundings['env'];
  readonly config: ReadonlyMap<string, string>;
  /** What relative paths start from. */
  readonly cwd: string;
  readonly gitDirectory: string;
}

/**
 * The person's signing key: `file`, else `user.signingkey`, else `~/.ssh/id_ed25519`. A private key that can be
 * read signs in the process; an encrypted or hardware key, or one that only an agent holds, by ssh-keygen.
 */
export async function findAdminKey(file: string | undefined, places: KeyPlaces): Promise<Result<AdminKey>> {
  const setting = file ?? places.config.get('user.signingkey') ?? '~/.ssh/id_ed25519';
  const literal = file === undefined ? literalKey(setting) : undefined;
  if (literal !== undefined) return outside(literal, { setting, source: { line: literal } }, places);
  const path = resolve(places.cwd, setting.replace(/^~(?=\/)/, places.env['HOME'] ?? '~'));
  const text = await readKeyFile(path);
  if (text === null) return fail(noKey(path));
  const isPublic = /^(sk-)?(ssh|ecdsa)-/.test(text);
  const privatePath = isPublic ? path.replace(/\.pub$/, '') : path;
  const privateText = isPublic ? await readKeyFile(privatePath) : text;
  const inside = privateText === null ? null : insideKey(privateText, path, places);
  if (inside !== null) return ok(inside);
  const line = isPublic ? text : await readKeyFile(`${path}.pub`);
  if (line === null) return fail(/PRIVATE KEY/.test(text) ? noPublicKey(path) : noKeyIn(path));
  const source = { path: privateText === null ? path : privatePath };
  return outside(line, { setting: path, source }, places);
}

/** See `CloneEditor.identityFile`. A key that only an agent or a token holds has no file, and opens nothing. */
export function identityFile(
  file: string | undefined,
  { env, config, cwd }: Pick<KeyPlaces, 'env' | 'config' | 'cwd'>,
): string {
  const signing = config.get('user.signingkey');
  const privateHalf =
    signing === undefined || literalKey(signing) !== undefined ? undefined : signing.replace(/\.pub$/, '');
  const named = file ?? config.get('autark.identity') ?? privateHalf ?? '~/.ssh/id_ed25519';
  return resolve(cwd, named.replace(/^~(?=\/)/, env['HOME'] ?? '~'));
}

/** A literal key in git's configuration: `key::TYPE BASE64`, or without the prefix as git once took it. */
function literalKey(setting: string): string | undefined {
  if (setting.startsWith('key::')) return setting.slice('key::'.length);
  return /^(sk-)?ssh-\S+ /.test(setting) ? setting : undefined;
}

/** `null` when the private key cannot sign here: encrypted, or of another kind. */
function insideKey(text: string, setting: string, { env, config }: KeyPlaces): AdminKey | null {
  const key = parsePrivateKey(text);
  if (!key.ok) return null;
  return {
    key: formatPublicKey(key.value.publicBlob),
    owner: ownerOf(env, config, key.value.comment),
    setting,
    sign: (payload) => Promise.resolve(ok(signWith(key.value, 'git', payload))),
  };
}

interface Held {
  readonly setting: string;
  readonly source: { readonly path: string } | { readonly line: string };
}

function outside(line: string, { setting, source }: Held, places: KeyPlaces): Result<AdminKey> {
  const { env, config, gitDirectory } = places;
  const parsed = parsePublicKey(line.trim());
  if (!parsed.ok) return fail(unusable(setting, parsed.failure));
  const { line: key, comment } = parsed.value;
  return ok({
    key,
    owner: ownerOf(env, config, comment),
    setting,
    sign: (payload) => signWithSshKeygen(payload, { source, key, env, gitDirectory }),
  });
}

async function readKeyFile(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
}

function noKey(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'there is no SSH key that could be read',
    where,
    remedy: 'name yours with --key FILE or `git config user.signingkey`, or make one: ssh-keygen -t ed25519',
  };
}

function noKeyIn(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'this file holds no SSH key',
    where,
    remedy: 'name your key, private or .pub, or make one: ssh-keygen -t ed25519',
  };
}

function noPublicKey(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'this private key cannot be used as it is, and its public key is not beside it',
    where,
    remedy: 'write the public key there (ssh-keygen -y -f FILE > FILE.pub), or take an ssh-ed25519 key',
  };
}

function unusable(where: string, why: string): Failure {
  return {
    kind: 'unexpected',
    cause: `this key cannot sign for a fleet: ${why}`,
    where,
    remedy: 'take an ssh-ed25519 key: ssh-keygen -t ed25519, and name it with --key',
  };
}
