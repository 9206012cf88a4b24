import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { must } from './run.ts';
import { accepts, freePort, serveProgram, type Served } from './served.ts';

/** A real sshd on the loopback interface, with keys and settings of its own; it serves this user's files. */
export interface SshServer {
  readonly port: number;
  /** `ssh://USER@ADDRESS:PORT` and the path. */
  url(path: string): string;
  /** The line for a `known_hosts` file. */
  knownHost(): string;
  /** Lets a key in; `id` is in the environment of what it runs as `HOSTID`. */
  allow(publicKey: string, id: string): void;
  /** Lets a key in by a whole line of sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
  authorize(line: string): void;
  forgetKeys(): void;
  /** Starts it anew on the same port with another host key. */
  changeHostKey(): Promise<void>;
  /** What it logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** What a program behind sshd wants to have of its own. */
export interface SshUser {
  /** The home folder of whoever comes, instead of this user's. */
  readonly home: string;
  /** Where it keeps the keys by itself. */
  readonly authorizedKeys: string;
}

/** Where it listens, if not on the loopback interface of this machine. */
export interface SshPlace {
  readonly address: string;
  /** What is put in front of a program to run it where that address is. */
  readonly inside: readonly string[];
}

export interface SshOptions {
  readonly user?: SshUser;
  /** Further lines of its settings. */
  readonly more?: readonly string[];
  readonly place?: SshPlace;
}

export async function startSshServer(
  dir: string,
  { user, more, place }: SshOptions = {},
): Promise<SshServer> {
  const { address, inside } = place ?? { address: '127.0.0.1', inside: [] };
  const folder = join(dir, 'sshd');
  const file = (name: string): string => join(folder, name);
  mkdirSync(folder, { recursive: true });
  // Where sshd, started by root, confines what talks to strangers; on most machines it is there.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  const makeHostKey = async (): Promise<void> => {
    for (const name of ['host_key', 'host_key.pub']) rmSync(file(name), { force: true });
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file('host_key')], { env });
  };
  const authorizedKeys = user?.authorizedKeys ?? file('authorized_keys');
  if (user === undefined) writeFileSync(authorizedKeys, '', { mode: 0o600 });
  const lines = [settings(`${address}:${port}`, file, { authorizedKeys, ...user }), ...(more ?? []), ''];
  writeFileSync(file('sshd_config'), lines.join('\n'));
  // It starts itself anew for each connection, by this name.
  const [program, ...args] = [...inside, '/usr/sbin/sshd', '-D', '-e', '-f', file('sshd_config')];
  const answers = async (): Promise<void> => {
    const [scan, ...options] = [...inside, 'ssh-keyscan', '-p', String(port), address];
    if ((await must(scan, options, { env })) === '') throw new Error('no answer');
  };
  const start = (): Promise<Served> =>
    serveProgram({
      ...{ file: program, args, env },
      isUp: inside.length === 0 ? () => accepts({ port }) : answers,
    });
  await makeHostKey();
  let served = await start();
  return {
    port,
    url: (path) => `ssh://${userInfo().username}@${address}:${port}${path}`,
    knownHost: () => {
      const [type = '', key = ''] = readFileSync(file('host_key.pub'), 'utf8').split(' ');
      return `[${address}]:${port} ${type} ${key.trim()}\n`;
    },
    allow(publicKey, id) {
      appendFileSync(authorizedKeys, `restrict,environment="HOSTID=${id}" ${publicKey.trim()}\n`);
    },
    authorize(line) {
      appendFileSync(authorizedKeys, `${line}\n`);
    },
    forgetKeys() {
      writeFileSync(authorizedKeys, '');
    },
    async changeHostKey() {
      await served.stop();
      await makeHostKey();
      served = await start();
    },
    log: () => served.output(),
    stop: () => served.stop(),
  };
}

/** sshd_config(5). The test's folder is below one that others may write to, hence no `StrictModes`. */
function settings(
  listen: string,
  file: (name: string) => string,
  { authorizedKeys, home }: { readonly authorizedKeys: string; readonly home?: string },
): string {
  return [
    `ListenAddress ${listen}`,
    `HostKey ${file('host_key')}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    ...(home === undefined ? [] : [`SetEnv HOME=${home}`]),
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'PermitUserEnvironment HOSTID',
    // As many as there are hosts may come at once.
    'MaxStartups 1000',
    'LogLevel VERBOSE',
    '',
  ].join('\n');
}
