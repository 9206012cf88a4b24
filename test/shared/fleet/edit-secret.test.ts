import { expect, test } from 'vitest';
import { declareSecret, removeReaders, removeSecret } from '../../../shared/fleet/edit-secret.ts';

const text = `# ours
version: 1
readers:
  - ssh-ed25519 AAAA alice # desk
  - age1qqq # paper
secrets:
  a: # first
    hosts: [web1] # one
    mode: '0400'
  b:
    groups: [web]
hosts: {}
`;

function value(result: ReturnType<typeof declareSecret>): string {
  if (!result.ok) throw new Error(result.failure.cause);
  return result.value;
}

test('a change of a declaration touches its own lines alone', () => {
  const edited = value(declareSecret(text, 'a', { mode: '0440', owner: 'www' }));
  expect(edited).toBe(text.replace("mode: '0400'", 'mode: "0440"\n    owner: www'));
  expect(value(declareSecret(text, 'a', { mode: '0400' }))).toBe(text);
});

test('the first secret brings its section', () => {
  const edited = value(declareSecret('version: 1 # x\n', 'a', { hosts: ['web1'] }));
  expect(edited).toBe('version: 1 # x\nsecrets:\n  a:\n    hosts: [ web1 ]\n');
});

test('a removed secret leaves its neighbour, and the last one takes the section with it', () => {
  const one = value(removeSecret(text, 'a'));
  expect(one).toBe(text.replace("  a: # first\n    hosts: [web1] # one\n    mode: '0400'\n", ''));
  expect(value(removeSecret(one, 'b'))).not.toContain('secrets');
});

test('a reader is taken out by the key, whatever the comment says', () => {
  expect(value(removeReaders(text, ['ssh-ed25519 AAAA']))).toBe(
    text.replace('  - ssh-ed25519 AAAA alice # desk\n', ''),
  );
  expect(value(removeReaders(text, ['ssh-ed25519 BBBB']))).toBe(text);
});

test('hosts that get it besides are added to those that are named, and no host of a group is written', () => {
  expect(value(declareSecret(text, 'a', {}, ['db1', 'web1']))).toBe(
    text.replace('hosts: [web1] # one', 'hosts: [ web1, db1 ] # one'),
  );
  expect(value(declareSecret(text, 'b', {}, ['db1']))).toBe(
    text.replace('    groups: [web]\n', '    groups: [web]\n    hosts: [ db1 ]\n'),
  );
});
