import type { Decrypter, Stanza } from 'age-encryption';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import type { Opener } from '../../secret-ports.ts';
import type { Key } from './key.ts';
import { changed, cutShort, forOthers, otherFormat, refused } from './unopened.ts';

/** Opens what is sealed to one of these keys, which are tried in their order. */
export function openerFor(keys: readonly Key[]): Opener {
  return { open: (sealed, where) => open(sealed, where, keys) };
}

/** What was found out about a file before it could not be opened. */
interface Found {
  /** `null` when the header cannot be read. */
  stanzas: readonly Stanza[] | null;
  /** Whether all keys said that nothing is for them. */
  isForOthers: boolean;
  failure: Failure | null;
  /** What asking for a passphrase threw: a defect, which must not pass for a damaged file. */
  thrown?: Error;
}

const magic = 'age-encryption.org/';
const version = `${magic}v1\n`;
const begin = '-----BEGIN AGE ENCRYPTED FILE-----';
const end = '-----END AGE ENCRYPTED FILE-----';

async function open(sealed: Uint8Array, where: string, keys: readonly Key[]): Promise<Result<Uint8Array>> {
  const age = await import('age-encryption');
  const binary = withoutArmour(sealed, where, age.armor.decode);
  if (!binary.ok) return binary;
  const text = Buffer.from(binary.value.subarray(0, version.length)).toString('latin1');
  if (text !== version) return fail(otherFormat(text, where));
  const found: Found = { stanzas: null, isForOthers: false, failure: null };
  const decrypter = new age.Decrypter();
  addKeys(decrypter, keys, found, where);
  try {
    return ok(await decrypter.decrypt(binary.value));
  } catch {
    if (found.thrown !== undefined) throw found.thrown;
    // What it throws is for developers; all that matters has been found out on the way.
    return fail(explain(binary.value, found, where));
  }
}

/** The keys between two that note how far it came: age-encryption asks one after the other. */
function addKeys(decrypter: Decrypter, keys: readonly Key[], found: Found, where: string): void {
  decrypter.addIdentity({
    unwrapFileKey: (stanzas: readonly Stanza[]) => {
      found.stanzas = stanzas;
      found.failure = refused(stanzas, where);
      if (found.failure !== null) throw new Error('refused');
      return null;
    },
  });
  for (const key of keys) {
    if (typeof key === 'string' || 'unwrapFileKey' in key) {
      decrypter.addIdentity(key);
      continue;
    }
    decrypter.addIdentity({
      unwrapFileKey: async (stanzas: Stanza[]) => {
        const identity = await key.unlockFor(stanzas).catch((error: unknown) => {
          found.thrown = error instanceof Error ? error : new Error(String(error));
          throw error;
        });
        if (identity.ok) return (await identity.value?.unwrapFileKey(stanzas)) ?? null;
        // Another key may still open it.
        found.failure ??= identity.failure;
        return null;
      },
    });
  }
  decrypter.addIdentity({
    unwrapFileKey: () => {
      found.isForOthers = true;
      return null;
    },
  });
}

function withoutArmour(
  sealed: Uint8Array,
  where: string,
  decode: (text: string) => Uint8Array,
): Result<Uint8Array> {
  const text = Buffer.from(sealed).toString('latin1').trimStart();
  if (!text.startsWith(begin)) return ok(sealed);
  try {
    return ok(decode(text));
  } catch {
    return fail(text.trimEnd().endsWith(end) ? changed(where) : cutShort(where));
  }
}

function explain(binary: Uint8Array, { stanzas, isForOthers, failure }: Found, where: string): Failure {
  if (failure !== null) return failure;
  const header = /\n---[^\n]*\n/.exec(Buffer.from(binary).toString('latin1'));
  if (header === null) return cutShort(where);
  if (stanzas === null) return changed(where);
  if (isForOthers) return forOthers(stanzas, where);
  // A nonce and the tag of an empty value are the least that follows a header.
  const follows = binary.length - header.index - header[0].length;
  return follows < 32 ? cutShort(where) : changed(where);
}
