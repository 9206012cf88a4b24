import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKey, loadSigner } from '../../agent/adapters/sign.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';

const keygen = (args: readonly string[], input?: string): string =>
  execFileSync('ssh-keygen', args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] });

describe('createKey', () => {
  test('makes a pair that the agent can load, the private one for its owner alone', async () => {
    const path = join(scratch(), 'a/b/key');
    const before = process.umask(0);
    valueOf(await createKey(path, 'web1'));
    process.umask(before);
    expect(statSync(path).mode & 0o7777).toBe(0o600);
    expect(statSync(`${path}.pub`).mode & 0o7777).toBe(0o644);
    expect(readFileSync(`${path}.pub`, 'utf8')).toBe(`${valueOf(await loadSigner(path)).key} web1\n`);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['key', 'key.pub']);
  });

  test('makes another key each time', async () => {
    const folder = scratch();
    for (const name of ['a', 'b']) valueOf(await createKey(join(folder, name), ''));
    expect(readFileSync(join(folder, 'a.pub'), 'utf8')).not.toBe(readFileSync(join(folder, 'b.pub'), 'utf8'));
  });

  test.each(['key', 'key.pub'])('never overwrites %s, nor half of a pair', async (name) => {
    const folder = scratch();
    writeFileSync(join(folder, name), 'precious');
    const failure = failureOf(await createKey(join(folder, 'key'), ''));
    expect(failure.where).toBe(join(folder, name));
    expect(failure.cause).toMatch(/there already/);
    expect(readdirSync(folder)).toEqual([name]);
    expect(readFileSync(join(folder, name), 'utf8')).toBe('precious');
  });

  test('does not write through a link that leads nowhere', async () => {
    const folder = scratch();
    symlinkSync('elsewhere', join(folder, 'key'));
    failureOf(await createKey(join(folder, 'key'), ''));
    expect(readdirSync(folder)).toEqual(['key']);
  });

  test('keeps a comment on one line', async () => {
    const path = join(scratch(), 'key');
    valueOf(await createKey(path, 'a\nssh-ed25519 AAAA forged'));
    expect(readFileSync(`${path}.pub`, 'utf8').split('\n').length).toBe(2);
  });
});

describe('loadSigner', () => {
  test('says what to do when there is no key', async () => {
    const path = join(scratch(), 'key');
    const failure = failureOf(await loadSigner(path));
    expect(failure).toMatchObject({ kind: 'agent-config', where: path });
    expect(failure.cause).toMatch(/no host key/);
  });

  test.each([0o640, 0o604, 0o610, 0o666])('refuses a key of mode %o', async (mode) => {
    const path = join(scratch(), 'key');
    valueOf(await createKey(path, ''));
    chmodSync(path, mode);
    const failure = failureOf(await loadSigner(path));
    expect(failure).toMatchObject({ kind: 'agent-config', where: path });
    expect(failure.remedy).toContain(`chmod 600 ${path}`);
  });

  test('refuses what is no key, without repeating it', async () => {
    const folder = scratch();
    writeFileSync(join(folder, 'key'), 'hunter2', { mode: 0o600 });
    mkdirSync(join(folder, 'folder'), { mode: 0o700 });
    for (const name of ['key', 'folder']) {
      const failure = failureOf(await loadSigner(join(folder, name)));
      expect(failure).toMatchObject({ kind: 'agent-config', where: join(folder, name) });
      expect(JSON.stringify(failure)).not.toMatch(/hunter2/);
    }
  });
});

describeWith(['ssh-keygen'], 'keys and signatures, by ssh-keygen', () => {
  test('a made key is one to ssh-keygen: its public half, its comment, no passphrase', async () => {
    const path = join(scratch(), 'key');
    valueOf(await createKey(path, 'web1'));
    expect(keygen(['-y', '-P', '', '-f', path])).toBe(readFileSync(`${path}.pub`, 'utf8'));
    expect(keygen(['-l', '-f', path])).toMatch(/^256 SHA256:\S+ web1 \(ED25519\)\n$/);
  });

  test('a signature by a key of ssh-keygen is good for the same bytes and namespace alone', async () => {
    const folder = scratch();
    const path = join(folder, 'key');
    keygen(['-q', '-t', 'ed25519', '-N', '', '-C', 'web1', '-f', path]);
    const signer = valueOf(await loadSigner(path));
    expect(`${signer.key} web1\n`).toBe(readFileSync(`${path}.pub`, 'utf8'));
    writeFileSync(join(folder, 'signature'), signer.sign(Buffer.from('payload')));
    writeFileSync(join(folder, 'allowed'), `web1 ${signer.key}\n`);
    const verify = (namespace: string, payload: string): string =>
      keygen(
        [
          '-Y',
          'verify',
          '-f',
          join(folder, 'allowed'),
          '-I',
          'web1',
          '-n',
          namespace,
          '-s',
          join(folder, 'signature'),
        ],
        payload,
      );
    expect(verify('git', 'payload')).toMatch(/^Good "git" signature for web1/);
    expect(() => verify('git', 'Payload')).toThrow();
    expect(() => verify('file', 'payload')).toThrow();
  });

  test.each([
    ['encrypted', ['-t', 'ed25519', '-N', 'passphrase'], /passphrase/],
    ['of another type', ['-t', 'ecdsa', '-N', ''], /ssh-ed25519/],
    ['in another format', ['-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', ''], /OpenSSH format|ssh-ed25519/],
  ])('a key that is %s is refused with what to do', async (_what, options, remedy) => {
    const path = join(scratch(), 'key');
    keygen(['-q', ...options, '-f', path]);
    const failure = failureOf(await loadSigner(path));
    expect(failure).toMatchObject({ kind: 'agent-config', where: path });
    expect(failure.remedy).toMatch(remedy);
  });
});
