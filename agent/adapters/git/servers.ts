import { dirname, join } from 'node:path';
import { withoutCredentials } from '../../../shared/credentials.ts';
import type { Result } from '../../../shared/failure.ts';
import { passedOn } from '../passed-on.ts';
import type { Account } from '../process/account.ts';
import { httpAccess, readToken, type Access } from './access.ts';
import type { GitCommand, GitPost } from './command.ts';
import { accessConfig, accessFile, gitConfig, type RemoteName, type Remotes } from './config.ts';
import { apartKeeper } from './apart-keeper.ts';
import { directoryFiles } from './directory.ts';
import { gitEnvironment, proxySecrets } from './environment.ts';
import { handedAccess, handOver } from './handed.ts';
import type { Housekeeper } from './housekeeper.ts';
import { ownKeeper } from './own-keeper.ts';
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
  /** The user of git (S7); git runs as the agent's own user if absent. */
  readonly account?: Account;
}

/** One remote, for what is said of it. */
export interface Side {
  /** Its address without credentials. */
  readonly where: string;
  /** When it is elsewhere. */
  readonly server?: Destination;
  /** The next step, where it is another than for any remote. */
  readonly remedy?: string;
}

/** The servers that this host goes to, and all that gits need in order to. */
export interface Servers {
  /** What every git in a directory is started with. */
  postIn(directory: string): GitPost;
  commandIn(directory: string): GitCommand;
  /** Makes a directory that objects can be read from and stored in. */
  prepare(directory: string): Promise<Result<void>>;
  /** The same, and one that can reach the servers: the token is read anew, and no token is a failure (2). */
  prepareToReach(directory: string): Promise<Result<void>>;
  readonly keeper: Housekeeper;
  side(name: RemoteName): Side;
}

export function openServers(place: ServersPlace): Servers {
  const { remote, stateRemote, access, host, env, account } = place;
  const remotes: Remotes = {
    autark: remote,
    ...(stateRemote === undefined ? {} : { 'autark-state': stateRemote }),
  };
  const inUrls = [...Object.values(remotes).flatMap((each) => secretsOf(each)), ...proxySecrets(env)];
  let secrets = inUrls;
  const files = directoryFiles(gitConfig(remotes));
  const keeper = account === undefined ? ownKeeper() : apartKeeper(account, passedOn(env)['PATH'] ?? '');
  const postIn = (directory: string): GitPost => {
    const post = { directory, isBounded: true };
    if (account === undefined) return { ...post, env: gitEnvironment(directory, host, env, access) };
    const handed = handedAccess(access, handedFolder(directory));
    return { ...post, env: gitEnvironment(directory, host, env, handed), account };
  };
  return {
    postIn,
    commandIn: (directory) => transportCommand(postIn(directory), { remotes, secrets: () => secrets }),
    prepare: (directory) => keeper.prepare(directory, files),
    async prepareToReach(directory) {
      const token = readToken(access);
      if (!token.ok) return token;
      secrets = token.value === undefined ? inUrls : [...inUrls, ...secretsOf(remote, token.value)];
      const reaching = { ...files, [accessFile]: accessConfig(remotes, token.value) };
      const ready = await keeper.prepare(directory, reaching);
      return ready.ok && account !== undefined ? handOver(access, handedFolder(directory), account) : ready;
    },
    keeper,
    side: (name) => sideOf(name, remotes[name] ?? remote, place),
  };
}

/** Beside the Git directory, in a folder of root's. */
function handedFolder(directory: string): string {
  return join(dirname(directory), 'handed');
}

function sideOf(name: RemoteName, remote: string, { access, account }: ServersPlace): Side {
  const where = withoutCredentials(remote);
  if (localPath(remote) !== null) return account === undefined ? { where } : { where, remedy: localRemedy };
  const { user, password } = parseRemote(remote);
  const setting = name === 'autark' ? 'remote' : 'stateRemote';
  return { where, server: { where, access, setting, hasLogin: (user ?? password) !== undefined } };
}

/** git runs as a user of its own: a repository of root's on this machine is not for it by itself. */
const localRemedy =
  'check that path, and that the user autark-git may read it and write to it (docs/units.md); the agent tries again by itself';

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
