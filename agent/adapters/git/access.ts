/** How a host proves itself to Git servers, and how they prove themselves to it. For fetches by Nix as well. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import type { AgentSettings } from '../../../shared/fleet/fleet.ts';
import type { Paths } from '../../../shared/paths.ts';
import { errorCode, fileFailure } from '../file-failure.ts';
import { parseRemote } from './remote.ts';

export interface Access {
  /** A private key file. Without one, ssh goes by what its user has set up. */
  readonly gitKey?: string;
  /** Files with the keys of servers, in the order in which ssh shall look; a `~/` is its user's. */
  readonly knownHosts: readonly string[];
  /** A file whose first line is a token or password for http. */
  readonly tokenFile?: string;
}

/** What the settings say; without `knownHosts`, the host's own file, its user's and the machine's. */
export function accessOf(settings: AgentSettings, paths: Pick<Paths, 'knownHosts'>): Access {
  const { gitKey, knownHosts, tokenFile } = settings;
  const usual = [paths.knownHosts, '~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'];
  return {
    knownHosts: knownHosts === undefined ? usual : [knownHosts],
    ...(gitKey === undefined ? {} : { gitKey }),
    ...(tokenFile === undefined ? {} : { tokenFile }),
  };
}

/** Seconds that a server may take to answer at first, and how often and how long a silent one is asked. */
const patience = { ConnectTimeout: '30', ServerAliveInterval: '15', ServerAliveCountMax: '4' } as const;

/**
 * The value of `GIT_SSH_COMMAND` (git(1)): never asks, takes no key of a server that is not in the files, ends by
 * itself when the connection is half open. No connection is shared: one that outlives its git would be a stray.
 */
export function sshCommand({ gitKey, knownHosts }: Access): string {
  const options: Readonly<Record<string, string>> = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: knownHosts.map(sshWord).join(' '),
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    ...patience,
    ControlMaster: 'no',
    ControlPath: 'none',
    ForwardAgent: 'no',
    ClearAllForwardings: 'yes',
    ...(gitKey === undefined ? {} : { IdentitiesOnly: 'yes', IdentityAgent: 'none' }),
  };
  const key = gitKey === undefined ? [] : identity(gitKey);
  const words = [
    'ssh',
    ...key,
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ];
  return words.map(shellWord).join(' ');
}

/** `-i` complains about a file that is not there; but it looks for one with `%` under another name than it uses. */
function identity(gitKey: string): string[] {
  return gitKey.includes('%') ? ['-o', `IdentityFile=${sshWord(gitKey)}`] : ['-i', gitKey];
}

/** A path among others in one option (ssh_config(5)): quoted, for it is split at blanks, and without TOKENS. */
function sshWord(path: string): string {
  return `"${path.replaceAll('%', '%%').replace(/[\\"]/g, '\\$&')}"`;
}

function shellWord(word: string): string {
  return /^[\w./=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Bytes that are looked at; no token is longer. */
const longestToken = 8192;

/**
 * The first line of the token file as it is now, so that a renewed token counts without a restart; `undefined` when
 * there is no such file in the settings. The failure (2) never shows what is in it.
 */
export function readToken({ tokenFile }: Access): Result<string | undefined> {
  if (tokenFile === undefined) return ok(undefined);
  try {
    // A pipe with nobody at its other end would block for ever.
    const file = openSync(tokenFile, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) return fail(unusable(tokenFile, 'it is not a file'));
      if ((stat.mode & 0o077) !== 0) return fail(tooOpen(stat.mode & 0o777, tokenFile));
      const bytes = Buffer.alloc(longestToken);
      return token(bytes.toString('latin1', 0, readSync(file, bytes)), tokenFile);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return fail(unusable(tokenFile, 'it is not there'));
    return fail({ ...fileFailure(error, 'read the token', tokenFile), kind: 'agent-config' });
  }
}

function token(text: string, file: string): Result<string> {
  const [first = '', ...others] = text.split('\n').map((line) => line.trim());
  if (first === '') return fail(unusable(file, 'its first line is empty'));
  if (others.some((line) => line !== '')) return fail(unusable(file, 'it has more than one line'));
  // Printable ASCII without blanks: what the servers give out, and nothing that could end a header.
  return /^[\u0021-\u007e]+$/.test(first) && text.length < longestToken
    ? ok(first)
    : fail(unusable(file, 'it holds characters that no token has, or too many'));
}

function unusable(where: string, why: string): Failure {
  return {
    kind: 'agent-config',
    cause: `the token file cannot be used: ${why}`,
    where,
    remedy: 'write the token into its first line, mode 0600; the agent reads it anew each time',
  };
}

function tooOpen(mode: number, where: string): Failure {
  return {
    kind: 'agent-config',
    cause: `the token file is open to other users (mode 0${mode.toString(8)})`,
    where,
    remedy: `close it with chmod 600 ${where}; if others may have read it, get a new token`,
  };
}

export interface HttpAccess {
  /** Scheme, host and port: where the header may be sent. */
  readonly origin: string;
  /** The value of an HTTP `Authorization` header (RFC 7617). */
  readonly authorization: string;
}

/** Stands for the user where only the token counts: GitHub, Gitea and personal tokens of GitLab take any name. */
const anyUser = 'autark';

/** What opens an http(s) remote. */
export interface HttpLogin {
  /** Scheme, host and port: where it may be sent. */
  readonly origin: string;
  readonly user: string;
  readonly password: string;
}

/**
 * What to send to the server of an http(s) remote, and to nobody else: the URL's own user and password, else the
 * token, under the URL's user if it names one (deploy tokens of GitLab and application passwords of Bitbucket
 * count only under theirs), else under a neutral one. `undefined` when there is nothing to send.
 */
export function httpLoginWith(remote: string, token: string | undefined): HttpLogin | undefined {
  const { origin, user, password } = parseRemote(remote);
  if (origin === undefined) return undefined;
  const secret = password ?? token;
  if (user === undefined && secret === undefined) return undefined;
  return { origin, user: user ?? anyUser, password: secret ?? '' };
}

/** The same with the token as it is now; the failure is `readToken`'s. */
export function httpLogin(remote: string, access: Access): Result<HttpLogin | undefined> {
  const token = readToken(access);
  return token.ok ? ok(httpLoginWith(remote, token.value)) : token;
}

/** The same as the header that carries it. */
export function httpAccess(remote: string, token: string | undefined): HttpAccess | undefined {
  const login = httpLoginWith(remote, token);
  if (login === undefined) return undefined;
  const { origin, user, password } = login;
  return { origin, authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
