import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { parseSshSig, verifySshSig } from '../../shared/trust/sshsig.ts';
import type { CloneSurroundings } from './clone-git.ts';

export interface KeygenOrder {
  /** A key file, or a public key that an agent holds. */
  readonly source: { readonly path: string } | { readonly line: string };
  /** `TYPE BASE64`: what the signature must be by. */
  readonly key: string;
  readonly env: CloneSurroundings['env'];
  readonly gitDirectory: string;
}

/**
 * Signs with ssh-keygen(1), `-Y sign`, which talks to agents and hardware keys and asks for passphrases on the
 * person's own terminal. The signature is checked before anything is committed with it.
 */
export async function signWithSshKeygen(payload: Uint8Array, order: KeygenOrder): Promise<Result<string>> {
  const folder = await mkdtemp(join(order.gitDirectory, 'autark-'));
  try {
    const message = join(folder, 'commit');
    await writeFile(message, payload);
    const file = 'path' in order.source ? order.source.path : join(folder, 'key.pub');
    if ('line' in order.source) await writeFile(file, `${order.source.line}\n`, { mode: 0o600 });
    const code = await keygen(['-Y', 'sign', '-n', 'git', '-f', file, message], order.env);
    if (code === null) return fail(noKeygen(file));
    if (code !== 0) return fail(notSigned(file, `it ended with exit code ${code}`));
    const armour = await readFile(`${message}.sig`, 'utf8');
    const problem = signatureProblem(armour, payload, order.key);
    return problem === undefined ? ok(armour) : fail(notSigned(file, problem));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Its exit code; `null` when there is no such program. Standard output stays the command's own. */
function keygen(args: readonly string[], env: KeygenOrder['env']): Promise<number | null> {
  return new Promise((done) => {
    const child = spawn('ssh-keygen', args, { env, stdio: ['inherit', 'ignore', 'inherit'] });
    child.once('error', () => {
      done(null);
    });
    child.once('close', (code) => {
      done(code ?? 1);
    });
  });
}

function signatureProblem(armour: string, payload: Uint8Array, line: string): string | undefined {
  const signature = parseSshSig(armour);
  if (!signature.ok) return signature.failure;
  const key = parsePublicKey(line);
  if (!key.ok) return key.failure;
  const verified = verifySshSig(signature.value, 'git', payload, key.value);
  return verified.ok ? undefined : verified.failure;
}

function noKeygen(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'this key signs only by way of ssh-keygen, and ssh-keygen is not installed',
    where,
    remedy: 'install OpenSSH’s client, or name an unencrypted ssh-ed25519 key with --key',
  };
}

function notSigned(where: string, why: string): Failure {
  return {
    kind: 'unexpected',
    cause: `ssh-keygen did not sign: ${why}`,
    where,
    remedy: 'load the key into your agent with ssh-add, or name another with --key; nothing was committed',
  };
}
