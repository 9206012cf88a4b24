import { expect, test } from 'vitest';
import { accountIn, accountsOf } from '../../../agent/adapters/accounts.ts';

const passwd = [
  'root:x:0:0:root:/root:/bin/bash',
  'autark-git-old:x:7:7::/:/bin/sh',
  'autark-git:x:998:997:autark:/nonexistent:/usr/sbin/nologin',
  'toor:x:0:0::/:/bin/sh',
  'broken:x:abc:12::/:/bin/sh',
  'short:x',
].join('\n');

test('a user has the numbers of its own line (passwd(5))', () => {
  expect(accountIn(passwd, 'autark-git')).toEqual({ uid: 998, gid: 997 });
});

test.each(['root', 'toor', 'broken', 'short', 'nobody-here', 'autark'])(
  '%s is nobody that a program could be handed to',
  (name) => {
    expect(accountIn(passwd, name)).toBeNull();
  },
);

test('below a root of its own, and without a list, an agent works as whoever started it', () => {
  expect(accountsOf('/srv/host', '/etc/passwd')).toBeNull();
  expect(accountsOf('/', '/nonexistent')).toBeNull();
});
