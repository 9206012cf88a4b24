import { fail, ok, type Result } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import { enrolKeyId, fingerprint } from '../trust/ssh-key.ts';
import { parseSshSig } from '../trust/sshsig.ts';
import type { Status } from './status.ts';
import { checkRecord, type Found } from './tip.ts';

/** A machine that waits for approval, as its own genesis shows it. */
export interface Enrolment {
  /** The genesis. */
  readonly id: ObjectId;
  readonly host: string;
  /** `TYPE BASE64`: the key that signed the genesis. */
  readonly key: string;
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  readonly status: Status;
}

/** What a machine that waits says it is, by the ref where its genesis was found. */
export interface Applied {
  readonly fleet: string;
  readonly host: string;
  /** The last part of the ref: the first 16 hex digits of the SHA-256 of the key blob. */
  readonly print: string;
}

/**
 * Whether a genesis is what it must be: the first record of this host in this fleet, signed by the very key that
 * its ref names. The machine vouches for itself only; who it is, a person compares.
 */
export function checkEnrolment(found: Found, { fleet, host, print }: Applied): Result<Enrolment, string> {
  const { commit, id } = found;
  if (commit.gpgsig === undefined) return fail('it is not signed');
  const signature = parseSshSig(commit.gpgsig);
  if (!signature.ok) return signature;
  const { blob, line: key } = signature.value.publicKey;
  if (enrolKeyId(blob) !== print) return fail('it is signed by another key than its ref names');
  if (commit.parents.length > 0) return fail('it has parents, so it is not a first record');
  const record = checkRecord(found, { fleet, host, key, genesis: id });
  if (!record.ok) return fail(record.failure.cause);
  if (record.value.event !== 'enrolled') return fail(`its event is ${record.value.event}, not enrolled`);
  return ok({ id, host, key, fingerprint: fingerprint(blob), status: record.value.status });
}
