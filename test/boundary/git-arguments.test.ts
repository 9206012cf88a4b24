import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writePack } from '../../agent/adapters/git/pack.ts';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { bounds, gitRig, type GitRig } from './git-rig.ts';

/** A PATH on which `git` notes its arguments and environment, and then is the real one. */
function recordingGit(rig: GitRig): {
  path: string;
  calls: () => { args: string[]; env: Record<string, string> }[];
} {
  const real = execFileSync('sh', ['-c', 'command -v git']).toString().trim();
  const [bin, notes] = [join(rig.folder, 'bin'), join(rig.folder, 'notes')];
  mkdirSync(bin);
  mkdirSync(notes);
  const script = `#!/bin/sh
n=$(ls ${notes} | wc -l); mkdir "${notes}/$n"
printf '%s\\0' "$@" > "${notes}/$n/args"; cat /proc/$$/environ > "${notes}/$n/env"
exec ${real} "$@"
`;
  writeFileSync(join(bin, 'git'), script, { mode: 0o755 });
  const list = (file: string): string[] => readFileSync(file, 'utf8').split('\0').slice(0, -1);
  return {
    path: `${bin}:${process.env['PATH'] ?? ''}`,
    calls: () =>
      readdirSync(notes)
        .sort((a, b) => Number(a) - Number(b))
        .map((call) => ({
          args: list(join(notes, call, 'args')),
          env: Object.fromEntries(
            list(join(notes, call, 'env')).map((line) => [
              line.slice(0, line.indexOf('=')),
              line.slice(line.indexOf('=') + 1),
            ]),
          ),
        })),
  };
}

const fetch = [
  'fetch',
  '--quiet',
  '--prune',
  '--no-tags',
  '--no-write-fetch-head',
  '--no-auto-maintenance',
  '--no-recurse-submodules',
  '--no-show-forced-updates',
];

const heads = ['+refs/heads/main:refs/autark/config', '+refs/heads/testing*/web1:refs/autark/testing*/web1'];

test('every git gets these arguments, and a poll is one of them', async () => {
  const rig = gitRig();
  const head = rig.commit('main', 'one');
  const { path, calls } = recordingGit(rig);
  const git = rig.open({ env: { PATH: path } });
  valueOf(await git.fetchHead(bounds()));
  valueOf(await git.fetchHead(bounds()));
  valueOf(await git.fetchState(bounds()));
  valueOf(await git.read(head));
  valueOf(await git.store(writePack([])));
  const [ref, other] = ['refs/heads/state/web1', 'refs/heads/enroll/web1/00'];
  valueOf(
    await git.push(
      [
        { ref, to: head, expected: null },
        { ref: other, to: head, expected: null },
      ],
      bounds(),
    ),
  );
  valueOf(await git.push([{ ref, to: null, expected: head }], bounds()));
  expect(calls().map(({ args }) => args)).toEqual([
    [...fetch, 'autark', ...heads],
    [...fetch, 'autark', ...heads],
    [...fetch, 'autark', '+refs/heads/state*/web1:refs/autark/state*/web1'],
    ['cat-file', '--batch'],
    ['unpack-objects', '-q'],
    [
      'push',
      '--porcelain',
      '--no-verify',
      '--no-signed',
      `--force-with-lease=${ref}:`,
      `--force-with-lease=${other}:`,
      'autark',
      `${head}:${ref}`,
      `${head}:${other}`,
    ],
    [
      'push',
      '--porcelain',
      '--no-verify',
      '--no-signed',
      `--force-with-lease=${ref}:${head}`,
      'autark',
      `:${ref}`,
    ],
  ]);
});

test('every git gets this environment and no more of ours', async () => {
  const rig = gitRig();
  rig.commit('main', 'one');
  const { path, calls } = recordingGit(rig);
  const env = {
    PATH: path,
    https_proxy: 'http://proxy:1',
    GIT_DIR: '/x',
    GIT_SSH_COMMAND: 'x',
    SECRET: 's',
    HOME: '/root',
  };
  valueOf(await rig.open({ env }).fetchHead(bounds()));
  const [call] = calls();
  const shell = ['_', 'PWD', 'OLDPWD', 'SHLVL'];
  const given = Object.entries(call?.env ?? {}).filter(([name]) => !shell.includes(name));
  expect(Object.fromEntries(given)).toEqual({
    PATH: path,
    https_proxy: 'http://proxy:1',
    GIT_DIR: rig.directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(rig.directory, 'protected.config'),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    SSH_ASKPASS_REQUIRE: 'never',
    GIT_SSH_COMMAND:
      `ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o 'UserKnownHostsFile="${rig.folder}/known_hosts"' ` +
      '-o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no -o ConnectTimeout=30 -o ServerAliveInterval=15 ' +
      '-o ServerAliveCountMax=4 -o ControlMaster=no -o ControlPath=none -o ForwardAgent=no ' +
      '-o ClearAllForwardings=yes',
    GIT_AUTHOR_NAME: 'web1',
    GIT_AUTHOR_EMAIL: 'web1@fleet',
    GIT_COMMITTER_NAME: 'web1',
    GIT_COMMITTER_EMAIL: 'web1@fleet',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    HOME: '/nonexistent',
    LC_ALL: 'C',
  });
});

test('credentials in a URL reach the server and nothing else', async () => {
  const rig = gitRig();
  // Nobody else's: all processes of the machine are looked at, those of other tests too.
  const password = `hunter${randomBytes(8).toString('hex')}`;
  const seen: { authorization: string | undefined; commands: string[] }[] = [];
  const server = createServer((request, response) => {
    // Whoever talks to us runs now: git and its transport program.
    const commands = readdirSync('/proc').flatMap((name) => {
      try {
        const command = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/cmdline`, 'utf8') : '';
        return command.includes('git') ? [command.replaceAll('\0', ' ')] : [];
      } catch {
        return [];
      }
    });
    seen.push({ authorization: request.headers.authorization, commands });
    response.writeHead(403).end('no');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const where = `127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/fleet.git`;
  const git = rig.open({
    remote: `http://robot:${password}%402@${where}`,
    env: { PATH: process.env['PATH'] },
  });
  const failure = failureOf(await git.fetchHead(bounds()));
  expect(failure).toMatchObject({ kind: 'unreachable', where: `http://${where}` });
  expect(failure.cause).toContain('403');
  expect(JSON.stringify(failure)).not.toMatch(/hunter|robot/);
  // RFC 7617, section 2.
  const basic = Buffer.from(`robot:${password}@2`).toString('base64');
  expect(seen[0]?.authorization).toBe(`Basic ${basic}`);
  const commands = seen.flatMap((request) => request.commands);
  expect(commands.some((command) => command.includes(`remote-http autark http://${where}`))).toBe(true);
  expect(commands.filter((command) => [password, basic].some((each) => command.includes(each)))).toEqual([]);
});

test('a missing git is named', async () => {
  const rig = gitRig();
  const empty = join(rig.folder, 'empty');
  mkdirSync(empty);
  const git = rig.open({ env: { PATH: empty } });
  expect(failureOf(await git.fetchHead(bounds()))).toMatchObject({
    kind: 'unexpected',
    remedy: 'install git where the agent can find it (PATH)',
  });
  expect(failureOf(await git.read('0'.repeat(40))).kind).toBe('unreachable');
  rmSync(empty, { recursive: true });
});
