import { expect, test } from 'vitest';
import { gitFailure, usefulLine } from '../../../../agent/adapters/git/failures.ts';
import { parseRefusals } from '../../../../agent/adapters/git/push.ts';

// What git 2.39 and ssh print, with their own line ends.
test.each([
  [
    "fatal: '/x' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
    "'/x' does not appear to be a git repository",
  ],
  [
    'git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n',
    'git@h: Permission denied (publickey).',
  ],
  [
    "remote: Repository not found.\nfatal: repository 'https://h/x/' not found\n",
    "repository 'https://h/x/' not found",
  ],
  ['warning: redirecting\nfatal: early EOF\nfatal: the remote end hung up unexpectedly\n', 'early EOF'],
  ['fatal: Could not read from remote repository.\n', 'Could not read from remote repository.'],
  ['', undefined],
])('the line that tells most of %j is %j', (text, line) => {
  expect(usefulLine(text)).toBe(line);
});

test('a failure carries no password, in no field', () => {
  const failure = gitFailure(
    {
      ending: { how: 'exited', code: 128 },
      stdout: new Uint8Array(),
      tail: "fatal: unable to access 'https://u:hunter2@h/': Could not resolve host: h\n",
    },
    {
      doing: 'fetch',
      where: 'https://h/',
      timeout: 1000,
      kind: 'unreachable',
      remedy: 'check the network',
    },
  );
  expect(failure).toEqual({
    kind: 'unreachable',
    cause: "unable to access 'https://h/': Could not resolve host: h",
    where: 'https://h/',
    remedy: 'check the network',
    detail: "fatal: unable to access 'https://h/': Could not resolve host: h",
  });
});

test('a git that was ended from outside is not taken for a fault of the network', () => {
  const failure = gitFailure(
    { ending: { how: 'signalled', signal: 'SIGKILL' }, stdout: new Uint8Array(), tail: '' },
    {
      doing: 'fetch',
      where: 'ssh://git@h/',
      timeout: 1000,
      kind: 'unreachable',
      remedy: 'check the network',
    },
  );
  expect(failure).toMatchObject({ kind: 'unexpected', cause: 'git fetch was ended by SIGKILL' });
  expect(failure.remedy).toContain('memory');
  expect(failure.remedy).not.toContain('network');
});

test('the lines of --porcelain are told apart (git-push(1), OUTPUT)', () => {
  const output = [
    'To https://h/x',
    ' \taaa:refs/heads/a\tabc..def',
    '*\tbbb:refs/heads/b\t[new branch]',
    '=\tccc:refs/heads/c\t[up to date]',
    '-\t:refs/heads/d\t[deleted]',
    '!\teee:refs/heads/e\t[rejected] (stale info)',
    '!\t(delete):refs/heads/f\t[remote rejected] (deletion prohibited)',
    '!\tggg:refs/heads/g\t[remote failure] (remote failed to report status)',
    '!\thhh:refs/heads/h\t[remote rejected] (a (b) \u001b[31mc)',
    'Done',
  ].join('\n');
  expect(parseRefusals(output)).toEqual([
    { ref: 'refs/heads/e', how: 'stale', reason: 'stale info' },
    { ref: 'refs/heads/f', how: 'refused', reason: 'deletion prohibited' },
    { ref: 'refs/heads/g', how: 'lost', reason: 'remote failed to report status' },
    { ref: 'refs/heads/h', how: 'refused', reason: 'a (b) c' },
  ]);
});
