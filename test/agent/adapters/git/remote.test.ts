import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gitConfig } from '../../../../agent/adapters/git/config.ts';
import { localPath, parseRemote } from '../../../../agent/adapters/git/remote.ts';
import { scratch } from '../scratch.ts';

test.each([
  ['https://user:p%40ss@h/x', { url: 'https://h/x', origin: 'https://h', user: 'user', password: 'p@ss' }],
  ['http://token@h:81/x', { url: 'http://h:81/x', origin: 'http://h:81', user: 'token' }],
  ['https://a%zz:b@h/x', { url: 'https://h/x', origin: 'https://h', user: 'a%zz', password: 'b' }],
  ['https://:b@H/x', { url: 'https://h/x', origin: 'https://h', password: 'b' }],
  ['https://h/a@b', { url: 'https://h/a@b', origin: 'https://h' }],
])('%s is taken apart', (remote, parts) => {
  expect(parseRemote(remote)).toEqual(parts);
});

test.each(['git@h:x', '/srv/x', 'file:///srv/x@y', 'ssh://git@h/x', 'git://h/x'])(
  '%s has nothing to give away',
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

function reader(file: string): (key: string, url?: string) => string {
  return (key, url) => {
    const how = url === undefined ? ['--get-all', key] : ['--get-urlmatch', key, url];
    return execFileSync('git', ['config', '--null', '--file', file, ...how])
      .toString()
      .slice(0, -1);
  };
}

test('git reads back from our configuration what was put in', () => {
  const file = join(scratch(), 'config');
  const odd = '/srv/a "b" \\c\t#d;e\n[core]\n\thooksPath = /evil';
  writeFileSync(file, gitConfig({ autark: odd, 'autark-state': 'https://u:p@h:1/x' }));
  const read = reader(file);
  expect(read('remote.autark.url')).toBe(odd);
  expect(read('core.hooksPath')).toBe('/dev/null');
  expect(read('remote.autark-state.url')).toBe('https://h:1/x');
  expect(read('http.followRedirects')).toBe('false');
  expect(read('include.path')).toBe('access.config');
  expect(read('protocol.allow')).toBe('never');
  expect(read('protocol.https.allow')).toBe('always');
  expect(read('transfer.fsckObjects')).toBe('true');
  expect(read('gc.auto')).toBe('0');
  expect(gitConfig({ autark: 'https://u:p@h:1/x' })).not.toMatch(/u:p|dTpw/);
});
