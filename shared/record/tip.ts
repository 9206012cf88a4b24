import { fail, ok, type Failure, type Result } from '../failure.ts';
import { signedPayload, type Commit } from '../objects/commit.ts';
import type { ObjectId } from '../objects/object.ts';
import { parsePublicKey } from '../trust/ssh-key.ts';
import { parseSshSig, verifySshSig } from '../trust/sshsig.ts';
import { parseMessage } from './message.ts';
import { parseStatus } from './parse-status.ts';
import type { StateEvent, Status } from './status.ts';

/** What an authentic revision pinned for a host. */
export interface Pinned {
  readonly fleet: string;
  readonly host: string;
  /** `TYPE BASE64`. */
  readonly key: string;
  /** Absent after `invite --key`: then any genesis signed by the key will do. */
  readonly genesis?: ObjectId;
}

/** A state commit that was read. */
export interface StateRecord {
  readonly id: ObjectId;
  readonly seq: number;
  readonly at: string;
  readonly event: StateEvent;
  readonly code: number;
  readonly subject: string;
  readonly message: string;
  readonly status: Status;
  readonly revision?: ObjectId;
  readonly attempted?: ObjectId;
  readonly generation?: number;
  /** The first record of the history that it belongs to; absent when it does not say. */
  readonly genesis?: ObjectId;
  /** The newest record of the machine before, under this name: said by a machine's first record alone. */
  readonly replaces?: ObjectId;
}

/** A state commit as it was found: the parsed commit, its bytes, and its `status.json`. */
export interface Found {
  readonly id: ObjectId;
  readonly commit: Commit;
  readonly bytes: Uint8Array;
  readonly statusText: string;
}

/**
 * *Tip good* (S8): signed by the host's key, naming its fleet, host and genesis as an authentic revision
 * pinned them, and with a second parent, if any, equal to `Autark-Revision`; in a machine's first record the tip that
 * `Autark-Replaces` names comes between. Whether that revision is authentic, and what the other machine's records are
 * worth, is the caller's to know.
 */
export function checkRecord(found: Found, pinned: Pinned): Result<StateRecord> {
  const record = readRecord(found);
  if (!record.ok) return record;
  const problem = signatureProblem(found, pinned) ?? namingProblem(found, record.value, pinned);
  return problem === undefined ? record : fail(notGood(found.id, problem));
}

/** The record without any check of who wrote it. */
export function readRecord({ id, commit, statusText }: Found): Result<StateRecord> {
  const status = parseStatus(statusText);
  if (!status.ok) return fail(notGood(id, `its status.json cannot be read: ${status.failure}`));
  const { seq, at, outcome, system } = status.value;
  const { subject, trailers } = parseMessage(commit.message);
  const genesis = seq === 0 ? id : trailers.get('Autark-Genesis');
  const replaces = trailers.get('Autark-Replaces');
  return ok({
    id,
    seq,
    at,
    event: outcome.event,
    code: outcome.code,
    subject,
    message: outcome.message ?? '',
    status: status.value,
    ...(system === null ? {} : { revision: system.revision, generation: system.generation }),
    ...(outcome.attempted === undefined ? {} : { attempted: outcome.attempted }),
    ...(genesis === undefined ? {} : { genesis }),
    ...(replaces === undefined ? {} : { replaces }),
  });
}

/** The revision among the parents of a record: after the record before, and the older machine's tip if it names one. */
export function revisionParent(
  { parents }: Pick<Commit, 'parents'>,
  { replaces }: Pick<StateRecord, 'replaces'>,
): ObjectId | undefined {
  return parents[replaces === undefined ? 1 : 2];
}

/** Why the commit is not signed by the pinned key, or `undefined`. */
export function signatureProblem(
  { commit, bytes }: Pick<Found, 'commit' | 'bytes'>,
  { key: line }: Pick<Pinned, 'key'>,
): string | undefined {
  const key = parsePublicKey(line);
  if (!key.ok) return `the host's key cannot be read: ${key.failure}`;
  if (commit.gpgsig === undefined) return 'it is not signed';
  const signature = parseSshSig(commit.gpgsig);
  if (!signature.ok) return signature.failure;
  const verified = verifySshSig(signature.value, 'git', signedPayload(bytes), key.value);
  return verified.ok ? undefined : verified.failure;
}

function namingProblem({ commit }: Found, record: StateRecord, pinned: Pinned): string | undefined {
  const { trailers } = parseMessage(commit.message);
  const { status, seq, revision, genesis, replaces } = record;
  const deployed = revisionParent(commit, record);
  const older = replaces === undefined ? undefined : commit.parents[1];
  const expected: [string, string | undefined, string | undefined][] = [
    ['the trailer Autark-Fleet', trailers.get('Autark-Fleet'), pinned.fleet],
    ['the trailer Autark-Host', trailers.get('Autark-Host'), pinned.host],
    ['the trailer Autark-Seq', trailers.get('Autark-Seq'), String(seq)],
    ['the trailer Autark-Event', trailers.get('Autark-Event'), record.event],
    ['the trailer Autark-Revision', trailers.get('Autark-Revision'), revision],
    ['the fleet in status.json', status.fleet, pinned.fleet],
    ['the host in status.json', status.host, pinned.host],
    ['the genesis', genesis, pinned.genesis ?? genesis],
    ['the trailer Autark-Replaces', replaces, seq === 1 ? older : undefined],
    [
      `the ${replaces === undefined ? 'second' : 'third'} parent`,
      deployed,
      deployed === undefined ? undefined : revision,
    ],
  ];
  const wrong = expected.find(([, found, wanted]) => found !== wanted);
  if (wrong === undefined) return undefined;
  return `${wrong[0]} is ${wrong[1] ?? 'absent'}, not ${wrong[2] ?? 'absent'}`;
}

/** The failure that a record is not good for this reason. */
export function notGood(id: ObjectId, problem: string): Failure {
  return {
    kind: 'not-authentic',
    cause: `the state commit is not good: ${problem}`,
    where: id,
    remedy: 'look at who pushed it; the host itself replaces what it did not write',
  };
}
