import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identitiesIn } from '../../../../agent/adapters/age/identities.ts';
import type { Key } from '../../../../agent/adapters/age/key.ts';
import { formatPrivateKey, parsePrivateKey } from '../../../../shared/trust/ssh-key.ts';
import { scratch, valueOf } from '../scratch.ts';

/** A key pair as a person has it: what others seal to, and the file that opens it. */
export interface Pair {
  readonly recipient: string;
  readonly file: string;
}

export const kinds = ['ssh', 'x25519', 'hybrid'] as const;
export type Kind = (typeof kinds)[number];

export async function makePair(kind: Kind): Promise<Pair> {
  if (kind === 'ssh') {
    const file = formatPrivateKey(randomBytes(32), 'a comment', 7);
    return { recipient: valueOf(parsePrivateKey(file)).line, file };
  }
  const identity = await (kind === 'x25519' ? generateX25519Identity() : generateHybridIdentity());
  return { recipient: await identityToRecipient(identity), file: `${identity}\n` };
}

/** Nobody is to be asked. */
export function unasked(question: string): Promise<string> {
  return Promise.reject(new Error(`asked: ${question}`));
}

/** What is in a key file of this text. */
export async function keysOf(text: string, ask = unasked): Promise<readonly Key[]> {
  return valueOf(await identitiesIn(await fileOf(text), ask));
}

/** A key file, which goes with the test. */
export async function fileOf(text: string, mode = 0o600): Promise<string> {
  const file = join(scratch(), 'key');
  await writeFile(file, text, { mode });
  return file;
}
