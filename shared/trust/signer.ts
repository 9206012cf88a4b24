import type { KeyObject } from 'node:crypto';
import { fail, ok, type Result } from '../failure.ts';
import { signedPayload, type Commit } from '../objects/commit.ts';
import { publicKeyObject, type PublicKey } from './public-key.ts';
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

interface ReadyKey {
  /** One and the same for all commits that it signed. */
  readonly signer: Result<string, string>;
  readonly object: KeyObject;
}

/** For a whole history: few keys sign many commits, and to make one ready takes a tenth of a verification. */
export function openSigners(): Signers {
  const ready = new Map<string, ReadyKey>();
  const keyOf = ({ line, point }: PublicKey): ReadyKey => {
    const known = ready.get(line);
    if (known !== undefined) return known;
    if (ready.size >= most) ready.clear();
    const key = { signer: ok(line), object: publicKeyObject(point) };
    ready.set(line, key);
    return key;
  };
  return (commit, bytes) => {
    if (commit.gpgsig === undefined) return fail('the commit is not signed');
    const sig = parseSshSig(commit.gpgsig);
    if (!sig.ok) return fail(`the commit’s signature does not count: ${sig.failure}`);
    const { signer, object } = keyOf(sig.value.publicKey);
    const verified = verifySshSig(sig.value, namespace, signedPayload(bytes), { object });
    return verified.ok ? signer : fail(`the commit’s signature does not count: ${verified.failure}`);
  };
}
