import { expect, test } from 'vitest';
import { withoutCredentials } from '../../shared/credentials.ts';

test.each([
  ['https://user:pass@example.org/a.git', 'https://example.org/a.git'],
  ['https://token@example.org:8443/a', 'https://example.org:8443/a'],
  ['https://user:p@ss@example.org/a', 'https://example.org/a'],
  ['https://u:a/b@example.org', 'https://example.org'],
  ['https://u:a?b#c@example.org/x', 'https://example.org/x'],
  ['https://u:a/b@[2001:db8::1]:8443/x', 'https://[2001:db8::1]:8443/x'],
  ['https://example.org/a.git?private_token=x#y', 'https://example.org/a.git'],
  ['https://example.org?access_token=x', 'https://example.org'],
  ['ssh://git:pass@example.org/a', 'ssh://git@example.org/a'],
  ['ssh://git:a/b@example.org/a', 'ssh://git@example.org/a'],
  ["fatal: unable to access 'HTTPS://u:p@h/': no", "fatal: unable to access 'HTTPS://h/': no"],
  ['http://a:b@h/ and http://c:d@i/', 'http://h/ and http://i/'],
  ['http://a:b@h/,http://c:d@i/', 'http://h/,http://i/'],
])('the credentials of %s are left out', (text, shown) => {
  expect(withoutCredentials(text)).toBe(shown);
});

test.each([
  'ssh://git@example.org/a',
  'ssh://git@example.org:2222/a',
  'git@example.org:a.git',
  'https://example.org:8443/a@b',
  'https://[2001:db8::1]:8443/a@b',
  'http://h:/a@b',
  'file:///srv/a@b',
  '/srv/a@b',
])('%s has none, and stays as it is', (text) => {
  expect(withoutCredentials(text)).toBe(text);
});
