import {
  chmodSync,
  statSync,
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ok, fail, type Result } from '../../../shared/failure.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import type { Account } from '../process/account.ts';
import type { Access } from './access.ts';

const names = { key: 'key', certificate: 'key-cert.pub', knownHosts: 'known_hosts' } as const;

/** What ssh is told when it runs as the user of git: copies, in a folder of root's that this user may only read. */
export function handedAccess({ gitKey }: Access, folder: string): Access {
  return {
    knownHosts: [join(folder, names.knownHosts)],
    ...(gitKey === undefined ? {} : { gitKey: join(folder, names.key) }),
  };
}

/**
 * Makes those copies as the originals are now: they may lie where only root may look. ssh takes a key that belongs to
 * somebody else as long as it can read it (`sshkey_perm_ok` of OpenSSH). What is no longer there goes there too.
 */
export function handOver({ gitKey, knownHosts }: Access, folder: string, account: Account): Result<void> {
  try {
    makeReadable(folder, account);
    const certificate = gitKey === undefined ? null : contents(`${gitKey}-cert.pub`);
    replace(join(folder, names.key), gitKey === undefined ? null : contents(gitKey), account);
    replace(join(folder, names.certificate), certificate, account);
    const known = knownHosts.map((path) => contents(path.replace(/^~(?=\/)/, homedir()))?.toString('latin1'));
    const text = known.map((each) => (each === undefined ? '' : `${each.trimEnd()}\n`)).join('');
    replace(join(folder, names.knownHosts), Buffer.from(text, 'latin1'), account);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'hand the key of this host to the user of git', folder));
  }
}

/** Whatever the umask is; a folder that is right already is left alone. */
function makeReadable(folder: string, { gid }: Account): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = statSync(folder);
  if (found.gid === gid && (found.mode & 0o777) === 0o750) return;
  chownSync(folder, 0, gid);
  chmodSync(folder, 0o750);
}

/** Nothing is written when it says the same already: an idle poll leaves the disk alone (P9). */
function replace(path: string, bytes: Buffer | null, { gid }: Account): void {
  if (bytes === null) {
    rmSync(path, { force: true });
    return;
  }
  if (contents(path)?.equals(bytes) === true) return;
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, bytes, { flag: 'wx', mode: 0o600 });
  const file = openSync(draft, 'r');
  try {
    fchownSync(file, 0, gid);
    fchmodSync(file, 0o640);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

/** `null` when it is not there: ssh then says so itself, with what it looked for. */
function contents(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}
