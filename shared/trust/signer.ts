import type { KeyObject } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import { signedPayload, type Commit } from '../objects/commit.ts';
import { parsePublicBlob, publicKeyObject } from './public-key.ts';
import { parseSshSig, verifySshSig } from './sshsig.ts';

/** The namespace in which git signs (gpg-interface.c). */
const namespace = 'git';

/** Keys kept ready. A fleet has a few admins; whoever makes more keys than this only makes it slower. */
const most = 1000;

/**
 * The key, `TYPE BASE64`, whose good signature the commit carries (S3). Whether that key may sign is another
 * question. One sentence says what is wrong else.
 * @param bytes the commit's whole content
 */
export type Signers = (commit: Commit, bytes: Uint8Array) => Result<string, string>;

/** A key that was read once, for all commits that it signed. */
interface ReadyKey {
  readonly parsed: ReturnType<typeof parsePublicBlob>;
  /** For node:crypto; `undefined` until a signature of the key is to be verified. */
  object: KeyObject | undefined;
}

/** For a whole history: few keys sign many commits, and to make one ready takes a tenth of a verification. */
export function openSigners(): Signers {
  const ready = new Map<string, ReadyKey>();
  const keyOf = (blob: Uint8Array): ReadyKey => {
    const name = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength).toString('latin1');
    const known = ready.get(name);
    if (known !== undefined) return known;
    if (ready.size >= most) ready.clear();
    const key: ReadyKey = { parsed: parsePublicBlob(blob), object: undefined };
    ready.set(name, key);
    return key;
  };
  return ({ gpgsig }, bytes) => {
    if (gpgsig === undefined) return fail('the commit is not signed');
    const sig = parseSshSig(gpgsig, (blob) => keyOf(blob).parsed);
    if (!sig.ok) return fail(`the commit’s signature does not count: ${sig.failure}`);
    const { blob, point, line } = sig.value.publicKey;
    const key = keyOf(blob);
    key.object ??= publicKeyObject(point);
    const verified = verifySshSig(sig.value, namespace, signedPayload(bytes), { object: key.object });
    return verified.ok ? ok(line) : fail(`the commit’s signature does not count: ${verified.failure}`);
  };
}
