import { fail, ok, type Result } from '../failure.ts';
import { signedPayload, type Commit } from '../objects/commit.ts';
import { parseSshSig, verifySshSig } from './sshsig.ts';

/** The namespace in which git signs (gpg-interface.c). */
const namespace = 'git';

/**
 * The key, `TYPE BASE64`, whose good signature the commit carries (S3). Whether that key may sign is another
 * question. One sentence says what is wrong else.
 * @param bytes the commit's whole content
 */
export function commitSigner(commit: Commit, bytes: Uint8Array): Result<string, string> {
  if (commit.gpgsig === undefined) return fail('the commit is not signed');
  const sig = parseSshSig(commit.gpgsig);
  if (!sig.ok) return fail(`the commit’s signature does not count: ${sig.failure}`);
  const verified = verifySshSig(sig.value, namespace, signedPayload(bytes));
  if (!verified.ok) return fail(`the commit’s signature does not count: ${verified.failure}`);
  return ok(sig.value.publicKey.line);
}
