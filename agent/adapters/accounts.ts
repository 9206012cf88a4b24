import { readFileSync } from 'node:fs';
import type { Account } from './process/account.ts';

/** The users that systemd/autark.sysusers.conf declares. */
const names = { git: 'autark-git', build: 'autark-build' } as const;

/** As whom git and exec builds run (S7). */
export interface Accounts {
  readonly git: Account;
  readonly build: Account;
}

/**
 * Both users, or `null` where the agent works as whoever started it: below a root of its own, not as root, or on a
 * machine that has not both. What is missing is reported with each record, under `guarantees`.
 * @param passwd where users are listed (passwd(5))
 */
export function accountsOf(root: string, passwd = '/etc/passwd'): Accounts | null {
  if (root !== '/' || process.geteuid?.() !== 0) return null;
  const text = contents(passwd);
  const git = accountIn(text, names.git);
  const build = accountIn(text, names.build);
  return git === null || build === null ? null : { git, build };
}

/** A user's numbers (passwd(5)); `null` when it is not listed, or has those of root. */
export function accountIn(passwd: string, name: string): Account | null {
  const line = passwd.split('\n').find((each) => each.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  const account = { uid: Number(uid), gid: Number(gid) };
  const isUsable = Object.values(account).every((id) => Number.isSafeInteger(id) && id > 0);
  return isUsable ? account : null;
}

function contents(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
