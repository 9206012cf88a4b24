import { join } from 'node:path';
import { passedOn } from '../passed-on.ts';
import { decoded } from './remote.ts';
import { sshCommand, type Access } from './access.ts';

/** The file, inside the Git directory, that git reads as the user's own configuration. */
export const protectedFile = 'protected.config';

/**
 * The whole environment of every git (git(1)): nobody's configuration, no prompts, no replaced or lazily fetched
 * objects (S5, S7), an identity so that git does not ask the DNS for one, and untranslated messages.
 */
export function gitEnvironment(
  directory: string,
  host: string,
  from: Readonly<Record<string, string | undefined>>,
  access: Access,
): Record<string, string> {
  return {
    ...passedOn(from),
    ...identity('AUTHOR', host),
    ...identity('COMMITTER', host),
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(directory, protectedFile),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    // Empty, not a program that fails: git then reports that it may not ask.
    GIT_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND: sshCommand(access),
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    HOME: '/nonexistent',
    LC_ALL: 'C',
  };
}

/**
 * The passwords in the proxies' addresses, as written and decoded (RFC 3986). libcurl also takes an address without
 * a scheme.
 */
export function proxySecrets(from: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(passedOn(from))
    .filter(([name]) => /proxy$/i.test(name))
    .flatMap(([, address]) => {
      const login = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(.*)@/is.exec(address)?.[1] ?? '';
      const password = login.slice(login.indexOf(':') + 1);
      return login.includes(':') ? [password, decoded(password), ...password.split(/[/?#]/)] : [];
    });
}

function identity(role: 'AUTHOR' | 'COMMITTER', host: string): Record<string, string> {
  return { [`GIT_${role}_NAME`]: host, [`GIT_${role}_EMAIL`]: `${host}@fleet` };
}
