import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatAllowedSigner } from '../../shared/trust/allowed-signers.ts';
import {
  fingerprint,
  formatPrivateKey,
  parsePrivateKey,
  parsePublicKey,
} from '../../shared/trust/ssh-key.ts';
import { parseSshSig, signWith, verifySshSig } from '../../shared/trust/sshsig.ts';
import { failureOf, scratch, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { must, run } from '../rig/run.ts';
import { environment } from '../rig/world.ts';
import { keyOf, token } from '../shared/trust/fixtures.ts';

const message = Buffer.from('a message\n');

/** ssh-keygen in an empty folder. */
function keygen() {
  const dir = scratch();
  const env = environment(dir);
  return {
    dir,
    file: (name: string) => join(dir, name),
    must: (args: readonly string[], input?: Uint8Array) =>
      must('ssh-keygen', args, { cwd: dir, env, ...(input === undefined ? {} : { input }) }),
    /** What `ssh-keygen -Y verify` says, for a file `allowed_signers` of this text. */
    verifies: async (
      allowed: string,
      signature: string,
      name: string,
      namespace = 'git',
    ): Promise<boolean> => {
      await writeFile(join(dir, 'allowed_signers'), allowed);
      await writeFile(join(dir, 'sig'), signature);
      const args = ['-Y', 'verify', '-f', 'allowed_signers', '-I', name, '-n', namespace, '-s', 'sig'];
      return (await run('ssh-keygen', args, { cwd: dir, env, input: message })).code === 0;
    },
  };
}

describeWith(['ssh-keygen'], 'ssh-keygen and we', () => {
  test('agree about a key that it makes', async () => {
    const { file, must } = keygen();
    await must(['-q', '-t', 'ed25519', '-N', '', '-C', 'Zoë at work', '-f', 'key']);
    const key = valueOf(parsePrivateKey(await readFile(file('key'), 'utf8')));
    const line = valueOf(parsePublicKey(await readFile(file('key.pub'), 'utf8')));
    expect(key).toMatchObject({ line: line.line, comment: 'Zoë at work' });
    expect(line.comment).toBe('Zoë at work');
    expect((await must(['-l', '-f', 'key.pub'])).split(' ')[1]).toBe(fingerprint(line.blob));
  });

  test('agree about a key that we make, whatever the length of its comment', async () => {
    const { file, must } = keygen();
    for (const comment of ['', 'a', 'alice@example.org', 'x'.repeat(100)]) {
      const text = formatPrivateKey(randomBytes(32), comment, randomBytes(4).readUInt32BE());
      await writeFile(file('key'), text);
      await chmod(file('key'), 0o600);
      const { line } = valueOf(parsePrivateKey(text));
      expect(await must(['-y', '-f', 'key'])).toBe(comment === '' ? line : `${line} ${comment}`);
    }
  });

  test('agree that a key is locked', async () => {
    const { file, must } = keygen();
    await must(['-q', '-t', 'ed25519', '-N', 'secret', '-f', 'key']);
    expect(failureOf(parsePrivateKey(await readFile(file('key'), 'utf8'))).reason).toBe('encrypted');
    await must(['-q', '-p', '-P', 'secret', '-N', '', '-f', 'key']);
    expect(parsePrivateKey(await readFile(file('key'), 'utf8')).ok).toBe(true);
  });

  test.each(['sha256', 'sha512'])('agree about a signature that it makes: %s', async (hash) => {
    const { file, must } = keygen();
    await must(['-q', '-t', 'ed25519', '-N', '', '-f', 'key']);
    const key = valueOf(parsePublicKey(await readFile(file('key.pub'), 'utf8')));
    const text = await must(['-q', '-Y', 'sign', '-f', 'key', '-n', 'git', '-O', `hashalg=${hash}`], message);
    const sig = valueOf(parseSshSig(`${text}\n`));
    expect(sig.hash).toBe(hash);
    expect(verifySshSig(sig, 'git', message, key).ok).toBe(true);
    expect(verifySshSig(sig, 'git', Buffer.from('another'), key).ok).toBe(false);
  });

  test('agree about a signature that we make, and make the same', async () => {
    const { file, must, verifies } = keygen();
    const key = keyOf('alice');
    const allowed = `${formatAllowedSigner('alice', key.line)}\n`;
    const text = signWith(key, 'git', message);
    expect(await verifies(allowed, text, 'alice')).toBe(true);
    expect(await verifies(allowed, signWith(keyOf('bob'), 'git', message), 'alice')).toBe(false);
    await writeFile(file('key'), formatPrivateKey(key.seed, '', 1), { mode: 0o600 });
    expect(await must(['-q', '-Y', 'sign', '-f', 'key', '-n', 'git'], message)).toBe(text.trimEnd());
  });

  test('agree about what a hardware token signs', async () => {
    const { verifies } = keygen();
    const { line, sign } = token('alice', 'ssh:work');
    const allowed = `${formatAllowedSigner('alice', line)}\n`;
    expect(await verifies(allowed, sign('git', message), 'alice')).toBe(true);
    expect(await verifies(allowed, sign('git', message, 1, 5), 'alice')).toBe(false);
  });

  test('agree about every form of line that grants', async () => {
    const { verifies } = keygen();
    const { line } = keyOf('alice');
    const text = signWith(keyOf('alice'), 'git', message);
    for (const [allowed, name] of [
      [`alice ${line}`, 'alice'],
      [`bob,alice@example.org ${line} a comment`, 'alice@example.org'],
      [`a.l-i_c+e%x namespaces="git" ${line} `, 'a.l-i_c+e%x'],
      [`cert-authority ${line}`, 'cert-authority'],
      [`# first\n\nbob ${keyOf('bob').line}\nalice ${line}`, 'alice'],
    ] as const) {
      expect(await verifies(`${allowed}\n`, text, name), allowed).toBe(true);
    }
    const granted = `${formatAllowedSigner('alice', line)}\n`;
    expect(await verifies(granted, signWith(keyOf('alice'), 'file', message), 'alice', 'file')).toBe(false);
  });
});
