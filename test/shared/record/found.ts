import type { Draft } from '../../../shared/cycle/phase.ts';
import { parseCommit, signedPayload, withSignature } from '../../../shared/objects/commit.ts';
import { type GitObject, objectId } from '../../../shared/objects/object.ts';
import { composeStateCommit, type Place } from '../../../shared/record/state-commit.ts';
import type { Found, Pinned } from '../../../shared/record/tip.ts';
import { formatPrivateKey, parsePrivateKey, type PrivateKey } from '../../../shared/trust/ssh-key.ts';
import { parseSshSig, signWith } from '../../../shared/trust/sshsig.ts';
import { valueOf } from '../../agent/adapters/scratch.ts';
import { draft } from './drafts.ts';

const keyOf = (byte: number): PrivateKey =>
  valueOf(parsePrivateKey(formatPrivateKey(Buffer.alloc(32, byte), 'host', 1)));
/** The host's key, and somebody else's. */
export const [ours, theirs] = [keyOf(1), keyOf(2)];
const lineOf = (key: PrivateKey): string =>
  valueOf(parseSshSig(signWith(key, 'git', new Uint8Array()))).publicKey.line;
const genesis = 'a'.repeat(40);
export const place: Place = { genesis, previous: 'b'.repeat(40), withRevision: true };
export const pinned: Pinned = { fleet: '0f9c', host: 'web1', key: lineOf(ours), genesis };

/** A record as it is read back. */
export function found(of: Draft = draft(), { at = place, key = ours, namespace = 'git' } = {}): Found {
  const made = composeStateCommit(of, at, (payload) => signWith(key, namespace, payload));
  return readBack(made.objects);
}

function readBack(objects: readonly GitObject[]): Found {
  const bytesOf = (type: string): Uint8Array =>
    objects.find((object) => object.type === type)?.bytes ?? new Uint8Array();
  const bytes = bytesOf('commit');
  return {
    id: objectId({ type: 'commit', bytes }),
    commit: valueOf(parseCommit(bytes)),
    bytes,
    statusText: Buffer.from(bytesOf('blob')).toString(),
  };
}

/** The same commit with other text in it, signed anew by the host's own key: a host that lies. */
export function rewritten(change: (payload: string) => string, of: Found = found()): Found {
  const payload = Buffer.from(change(Buffer.from(signedPayload(of.bytes)).toString()));
  const bytes = withSignature(payload, signWith(ours, 'git', payload));
  return {
    id: objectId({ type: 'commit', bytes }),
    commit: valueOf(parseCommit(bytes)),
    bytes,
    statusText: of.statusText,
  };
}
