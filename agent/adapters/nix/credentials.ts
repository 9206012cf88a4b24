import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../../shared/failure.ts';
import { fileFailure } from '../file-failure.ts';
import type { HttpLogin } from '../git/access.ts';
import { replacePrivate } from '../private-file.ts';

/** What git reads as the user's own configuration, in the folder of Nix. */
export const gitConfigFile = 'gitconfig';

/**
 * Writes what Nix and its git read of the agent's credentials, as files that only our user can read: no secret is
 * ever an argument or in the environment. Without credentials the files are there and say nothing.
 * - `netrc`, for what Nix downloads itself (nix.conf(5), `netrc-file`), and for its git (curl's netrc);
 * - `nix.conf`, which names it, and the token for the forges that have a fetcher of their own (`access-tokens`).
 */
export function writeCredentials(home: string, login: HttpLogin | undefined): Result<void> {
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    chmodSync(home, 0o700);
    replacePrivate(join(home, '.netrc'), login === undefined ? '' : netrc(login));
    replacePrivate(join(home, 'nix.conf'), nixConf(home, login));
    replacePrivate(join(home, 'registry.json'), '{"flakes":[],"version":2}\n');
    // Keeps whatever else the user has set up for git out.
    replacePrivate(join(home, gitConfigFile), '# Written by autark.\n');
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'prepare the folder of Nix', home));
  }
}

/** netrc(5). The host alone: a port cannot be told apart there. */
function netrc({ origin, user, password }: HttpLogin): string {
  return `machine ${new URL(origin).hostname}\nlogin ${user}\npassword ${password}\n`;
}

/** nix.conf(5). No registry: what is locked needs none, and what is not must not be looked up (S5). */
function nixConf(home: string, login: HttpLogin | undefined): string {
  const lines = [
    '# Written by autark; changes are overwritten.',
    // Before what belongs to them: newer versions pass over the settings of a feature that is not enabled.
    'extra-experimental-features = nix-command flakes',
    `netrc-file = ${join(home, '.netrc')}`,
    `flake-registry = ${join(home, 'registry.json')}`,
  ];
  const token = login === undefined ? undefined : accessToken(login);
  return [...lines, ...(token === undefined ? [] : [`extra-access-tokens = ${token}`]), ''].join('\n');
}

/** nix.conf(5), `access-tokens`: as the fetchers `github:` and `gitlab:` want them. */
function accessToken({ origin, password }: HttpLogin): string | undefined {
  const { hostname } = new URL(origin);
  if (hostname === 'github.com') return `${hostname}=${password}`;
  return hostname.split('.').includes('gitlab') ? `${hostname}=PAT:${password}` : undefined;
}
