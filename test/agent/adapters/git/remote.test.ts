import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gitConfig } from '../../../../agent/adapters/git/config.ts';
import { localPath, parseRemote } from '../../../../agent/adapters/git/remote.ts';
import { scratch } from '../scratch.ts';

test.each([
  // base64(1) of `user:p@ss`, of `token:` and of `a%zz:b`.
  ['https://user:p%40ss@h/x', 'https://h/x', 'Basic dXNlcjpwQHNz', 'https://h'],
  ['http://token@h:81/x', 'http://h:81/x', 'Basic dG9rZW46', 'http://h:81'],
  ['https://a%zz:b@h/x', 'https://h/x', 'Basic YSV6ejpi', 'https://h'],
])('%s gives its credentials away only in a header', (remote, url, authorization, origin) => {
  expect(parseRemote(remote)).toEqual({ url, authorization, origin });
});

test.each(['https://h/x', 'git@h:x', '/srv/x', 'file:///srv/x@y', 'ssh://git@h/x', 'https://h/a@b'])(
  '%s has none to give',
  (remote) => {
    expect(parseRemote(remote)).toEqual({ url: remote });
  },
);

test('a password that no transport would use is dropped', () => {
  expect(parseRemote('ssh://git:secret@h/x')).toEqual({ url: 'ssh://git@h/x' });
});

test.each([
  ['/srv/fleet.git', '/srv/fleet.git'],
  ['./a:b', './a:b'],
  ['../x', '../x'],
  ['file:///srv/a%20b', '/srv/a b'],
  ['file://elsewhere/srv/a', null],
  ['host:path', null],
  ['git@host:path', null],
  ['ssh://host/path', null],
  ['https://host/path', null],
])('%s is on this machine at %s', (remote, path) => {
  expect(localPath(remote)).toBe(path);
});

test('git reads back from our configuration what was put in', () => {
  const file = join(scratch(), 'config');
  const odd = '/srv/a "b" \\c\t#d;e\n[core]\n\thooksPath = /evil';
  writeFileSync(file, gitConfig({ autark: odd, 'autark-state': 'https://u:p@h:1/x' }));
  const read = (key: string): string =>
    execFileSync('git', ['config', '--null', '--file', file, '--get-all', key]).toString().slice(0, -1);
  expect(read('remote.autark.url')).toBe(odd);
  expect(read('core.hooksPath')).toBe('/dev/null');
  expect(read('remote.autark-state.url')).toBe('https://h:1/x');
  expect(read('http.https://h:1.extraHeader')).toBe('Authorization: Basic dTpw');
  expect(read('http.https://h:1.followRedirects')).toBe('false');
  expect(read('protocol.allow')).toBe('never');
  expect(read('protocol.https.allow')).toBe('always');
  expect(read('transfer.fsckObjects')).toBe('true');
  expect(read('gc.auto')).toBe('0');
});
