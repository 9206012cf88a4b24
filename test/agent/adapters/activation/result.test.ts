import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endingOf, writeResult } from '../../../../agent/adapters/activation/result.ts';
import { bootId } from '../../../../agent/adapters/proc.ts';
import { scratch } from '../scratch.ts';

const boot = '6d3fdc7b-0bd1-4a5d-9d6d-1a4c3f4f1f5b';

// The words are those of systemd.exec(5), "$SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS".
test.each([
  ['success exited 0', { how: 'exited', code: 0 }],
  ['exit-code exited 4', { how: 'exited', code: 4 }],
  ['signal killed KILL', { how: 'signalled', signal: 'SIGKILL' }],
  ['core-dump dumped SEGV', { how: 'signalled', signal: 'SIGSEGV' }],
  ['timeout killed TERM', { how: 'timeout' }],
  ['resources  ', { how: 'unstartable', reason: 'systemd says resources' }],
])('%s', (words, ending) => {
  expect(endingOf(`${words} ${boot}\n`, boot)).toEqual(ending);
});

test('what another boot left, or half of it, is no word at all', () => {
  expect(endingOf(`success exited 0 ${boot}\n`, 'another')).toBeNull();
  expect(endingOf('', boot)).toBeNull();
  expect(endingOf('success exited 0', boot)).toBeNull();
  expect(endingOf('success exited 0 \n', '')).toBeNull();
});

test('what the unit runs at its end writes just that', () => {
  const file = join(scratch(), 'switch-1-1');
  const env = {
    PATH: process.env['PATH'] ?? '',
    SERVICE_RESULT: 'exit-code',
    EXIT_CODE: 'exited',
    EXIT_STATUS: '4',
  };
  execFileSync('/bin/sh', ['-c', writeResult, file], { env });
  expect(endingOf(readFileSync(file, 'latin1'), bootId())).toEqual({ how: 'exited', code: 4 });
});
