import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { accessOf, httpAccess, readToken, sshCommand } from '../../../../agent/adapters/git/access.ts';
import { accessConfig } from '../../../../agent/adapters/git/config.ts';
import { scratch } from '../scratch.ts';

const settings = { host: 'web1', remote: '/srv/x', branch: 'main', dir: '.', introduction: '0'.repeat(40) };
const paths = { knownHosts: '/etc/autark/known_hosts' };

test('without settings, hosts are looked for where the machine knows them; with a file, only there', () => {
  expect(accessOf(settings, paths)).toEqual({
    knownHosts: ['/etc/autark/known_hosts', '~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'],
  });
  const named = { gitKey: '/k', knownHosts: '/h', tokenFile: '/t' };
  expect(accessOf({ ...settings, ...named }, paths)).toEqual({ ...named, knownHosts: ['/h'] });
});

test('the shell gives ssh exactly these words (ssh(1), ssh_config(5))', () => {
  const folder = scratch();
  mkdirSync(join(folder, 'bin'));
  const words = join(folder, 'words');
  writeFileSync(join(folder, 'bin/ssh'), `#!/bin/sh\nprintf '%s\\n' "$@" >'${words}'\n`, { mode: 0o755 });
  const command = sshCommand({ gitKey: "/a 'b'/$(x)", knownHosts: ['/c "d" %h\\e', '~/f'] });
  // As git does (git(1), GIT_SSH_COMMAND).
  execFileSync('sh', ['-c', `${command} "$@"`, 'ssh', 'git@h', 'git-upload-pack'], {
    env: { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` },
  });
  const option = (text: string): string[] => ['-o', text];
  expect(execFileSync('cat', [words]).toString().trimEnd().split('\n')).toEqual([
    '-i',
    "/a 'b'/$(x)",
    ...option('BatchMode=yes'),
    ...option('StrictHostKeyChecking=yes'),
    ...option('UserKnownHostsFile="/c \\"d\\" %%h\\\\e" "~/f"'),
    ...option('GlobalKnownHostsFile=/dev/null'),
    ...option('UpdateHostKeys=no'),
    ...option('ConnectTimeout=30'),
    ...option('ServerAliveInterval=15'),
    ...option('ServerAliveCountMax=4'),
    ...option('ControlMaster=no'),
    ...option('ControlPath=none'),
    ...option('ForwardAgent=no'),
    ...option('ClearAllForwardings=yes'),
    ...option('IdentitiesOnly=yes'),
    ...option('IdentityAgent=none'),
    'git@h',
    'git-upload-pack',
  ]);
});

// RFC 7617; the right side as base64(1) gives it.
test.each([
  ['https://h/x', undefined, undefined],
  ['https://h/x', 'tok', { origin: 'https://h', authorization: 'Basic YXV0YXJrOnRvaw==' }],
  [
    'https://gitlab+deploy@h/x',
    'tok',
    { origin: 'https://h', authorization: 'Basic Z2l0bGFiK2RlcGxveTp0b2s=' },
  ],
  ['https://user:pw@h:81/x', 'tok', { origin: 'https://h:81', authorization: 'Basic dXNlcjpwdw==' }],
  ['https://tok@h/x', undefined, { origin: 'https://h', authorization: 'Basic dG9rOg==' }],
  ['ssh://git@h/x', 'tok', undefined],
  ['/srv/x', 'tok', undefined],
])('to %s with the token %s goes %j', (remote, token, access) => {
  expect(httpAccess(remote, token)).toEqual(access);
});

test('the token is for one server, whatever the other is called', () => {
  const sentTo = (stateRemote: string): boolean =>
    accessConfig({ autark: 'https://h/x', 'autark-state': stateRemote }, 'tok').includes(
      `[http "${stateRemote}"]`,
    );
  expect(sentTo('https://h/states')).toBe(true);
  for (const other of [
    'http://h/states',
    'https://h:444/states',
    'https://h.evil/states',
    'https://evil/h',
  ]) {
    expect(sentTo(other)).toBe(false);
  }
});

test('a token is read as its first line, whatever the line end', () => {
  const tokenFile = join(scratch(), 'token');
  for (const text of ['tok', 'tok\n', 'tok\r\n', ' tok \n\n']) {
    writeFileSync(tokenFile, text);
    chmodSync(tokenFile, 0o600);
    expect(readToken({ knownHosts: [], tokenFile })).toEqual({ ok: true, value: 'tok' });
  }
  expect(readToken({ knownHosts: [] })).toEqual({ ok: true, value: undefined });
});
