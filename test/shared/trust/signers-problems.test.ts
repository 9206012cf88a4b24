import { expect, test } from 'vitest';
import { signersProblems } from '../../../shared/trust/signers-problems.ts';
import { publicKey } from '../fleet/sample.ts';

const alice = `alice ${publicKey(1)}\n`;
const places = (text: string): readonly (string | undefined)[] =>
  signersProblems(text).map((problem) => problem.where);

test('a file whose every line grants or is a comment has no problem', () => {
  expect(signersProblems(`# who may sign\n\n${alice}`)).toEqual([]);
});

test('each line that grants nothing is named, all of them at once', () => {
  expect(places(`${alice}bob\n${alice}carol ssh-rsa AAAA\n`)).toEqual([
    'allowed_signers:2',
    'allowed_signers:4',
  ]);
});

test('a file that grants nobody anything says so', () => {
  for (const text of ['', '# nobody\n']) expect(places(text)).toEqual(['allowed_signers']);
});

test('a NUL in a comment, behind which people are shown nothing, is a problem though every line grants', () => {
  const [problem, ...others] = signersProblems(`# \0\n${alice}`);
  expect(problem?.cause).toMatch(/NUL/);
  expect(others).toEqual([]);
});
