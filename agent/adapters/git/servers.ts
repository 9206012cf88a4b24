import { withoutCredentials } from '../../../shared/credentials.ts';
import type { Result } from '../../../shared/failure.ts';
import { httpAccess, readToken, type Access } from './access.ts';
import type { GitCommand } from './command.ts';
import { accessConfig, gitConfig, type RemoteName, type Remotes } from './config.ts';
import { prepareDirectory, writeAccess } from './directory.ts';
import { gitEnvironment, proxySecrets } from './environment.ts';
import type { Destination } from './explain.ts';
import { localPath, parseRemote } from './remote.ts';
import { transportCommand } from './transport.ts';

/** What is known of the servers before anything is asked of them. */
export interface ServersPlace {
  readonly remote: string;
  readonly stateRemote?: string;
  readonly access: Access;
  readonly host: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One remote, for what is said of it. */
export interface Side {
  /** Its address without credentials. */
  readonly where: string;
  /** When it is elsewhere. */
  readonly server?: Destination;
}

/** The servers that this host goes to, and all that gits need in order to. */
export interface Servers {
  environmentIn(directory: string): Record<string, string>;
  commandIn(directory: string): GitCommand;
  /** Makes a directory that objects can be read from and stored in. */
  prepare(directory: string): Result<void>;
  /** The same, and one that can reach the servers: the token is read anew, and no token is a failure (2). */
  prepareToReach(directory: string): Result<void>;
  side(name: RemoteName): Side;
}

export function openServers(place: ServersPlace): Servers {
  const { remote, stateRemote, access, host, env } = place;
  const remotes: Remotes = {
    autark: remote,
    ...(stateRemote === undefined ? {} : { 'autark-state': stateRemote }),
  };
  const config = gitConfig(remotes);
  const inUrls = [...Object.values(remotes).flatMap((each) => secretsOf(each)), ...proxySecrets(env)];
  let secrets = inUrls;
  const environmentIn = (directory: string) => gitEnvironment(directory, host, env, access);
  return {
    environmentIn,
    commandIn: (directory) =>
      transportCommand(directory, { env: environmentIn(directory), remotes, secrets: () => secrets }),
    prepare: (directory) => prepareDirectory(directory, config),
    prepareToReach(directory) {
      const token = readToken(access);
      if (!token.ok) return token;
      secrets = token.value === undefined ? inUrls : [...inUrls, ...secretsOf(remote, token.value)];
      const ready = prepareDirectory(directory, config);
      return ready.ok ? writeAccess(directory, accessConfig(remotes, token.value)) : ready;
    },
    side: (name) => sideOf(name, remotes[name] ?? remote, access),
  };
}

function sideOf(name: RemoteName, remote: string, access: Access): Side {
  const where = withoutCredentials(remote);
  if (localPath(remote) !== null) return { where };
  const { user, password } = parseRemote(remote);
  const setting = name === 'autark' ? 'remote' : 'stateRemote';
  return { where, server: { where, access, setting, hasLogin: (user ?? password) !== undefined } };
}

/** Each form in which a remote's credentials, or the token for it, are written or sent. */
function secretsOf(remote: string, token?: string): string[] {
  const { user, password } = parseRemote(remote);
  const { authorization } = httpAccess(remote, token) ?? {};
  const secret = password ?? token;
  const written = /:([^:@/]+)@/.exec(remote)?.[1];
  // Without a password, the user is the token.
  return [authorization?.replace('Basic ', ''), secret ?? user, written, token].filter(
    (each) => each !== undefined,
  );
}
