import type { Failure, Result } from '../failure.ts';
import { parseCommit } from '../objects/commit.ts';
import { openSigners } from '../trust/signer.ts';
import { fingerprint, parsePublicKey } from '../trust/ssh-key.ts';
import { notWell, well, type Checked } from './checked.ts';

export interface KeyFacts {
  readonly file: string;
  /** `TYPE BASE64`; or why the agent could not use it either. */
  readonly key: Result<string>;
  /** What the accepted `fleet.yaml` pins for this host. */
  readonly pinned: string | null;
  /** The commit with which the host enrolled, or its newest record, as far as they are here. */
  readonly signed: readonly Uint8Array[];
}

/** Whether the host's key can be used, and is the one that enrolled (P7). */
export function checkKey({ file, key, pinned, signed }: KeyFacts): readonly Checked[] {
  if (!key.ok) return [notWell('host-key', key.failure)];
  const signers = signed.flatMap(signerOf);
  const other = [...(pinned === null ? [] : [pinned]), ...signers].find((each) => each !== key.value);
  if (other !== undefined) return [notWell('host-key', another(file, key.value, other, other === pinned))];
  const known = pinned !== null || signers.length > 0 ? ', the one that enrolled' : '';
  return [well('host-key', `${file}: ${printOf(key.value)}${known}`)];
}

function signerOf(bytes: Uint8Array): readonly string[] {
  const commit = parseCommit(bytes);
  const signer = commit.ok ? openSigners()(commit.value, bytes) : commit;
  return signer.ok ? [signer.value] : [];
}

function another(where: string, key: string, other: string, isPinned: boolean): Failure {
  const by = isPinned ? 'fleet.yaml pins' : 'this host enrolled with';
  return {
    kind: 'not-this-host',
    cause: `this is another key (${printOf(key)}) than the one that ${by} (${printOf(other)})`,
    where,
    remedy:
      'put the old key back, or name its file as key in agent.yaml; without it this is another machine: enrol it anew',
  };
}

function printOf(key: string): string {
  const parsed = parsePublicKey(key);
  return parsed.ok ? fingerprint(parsed.value.blob) : key;
}
