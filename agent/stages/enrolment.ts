import { ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { enrolKeyId, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import type { Context } from '../context.ts';
import type { Bounds } from '../ports.ts';
import type { Effects } from '../seam.ts';
import { storeOutbox } from './waiting.ts';

/** What waits for approval: a genesis, signed by the key that its branch is named after. */
export interface Enrolment {
  readonly host: string;
  /** `TYPE BASE64`. */
  readonly key: string;
  readonly genesis: ObjectId;
}

/** Where a machine's genesis waits for approval, or `undefined` for a key that cannot be read. */
export function enrolRef(host: string, key: string): string | undefined {
  const parsed = parsePublicKey(key);
  return parsed.ok ? `refs/heads/enroll/${host}/${enrolKeyId(parsed.value.blob)}` : undefined;
}

/** Brings a genesis from the outbox to the server, where an admin finds it. */
export async function pushEnrolment(
  effects: Pick<Effects, 'git' | 'outbox'>,
  { host, key, genesis }: Enrolment,
  bounds: Bounds,
): Promise<Result<void>> {
  const stored = await storeOutbox(effects);
  if (!stored.ok) return stored;
  const ref = enrolRef(host, key);
  if (ref === undefined) throw new Error('the signer holds a key that cannot be parsed');
  // The branch is named after this machine's key: what else is there is an earlier life of it, never approved.
  return effects.git.push([{ ref, to: genesis, expected: null, isForced: true }], bounds);
}

/** Whether this machine's new key still has to be brought to the server. */
export function owesOffer({ memory }: Pick<Context, 'memory'>): boolean {
  return memory.journal.successor?.isOffered === false;
}

/** Brings this machine's new key to the server, once: the command that made it may have found an agent at work. */
export async function offerSuccessor(context: Context): Promise<Result<void>> {
  const { memory, signal } = context;
  const { successor, host, pace } = memory.journal;
  if (successor === null || successor.isOffered) return ok(undefined);
  const bounds = { timeout: pace.fetch, signal };
  const pushed = await pushEnrolment(context.effects('record'), { host, ...successor }, bounds);
  return pushed.ok ? memory.write({ successor: { ...successor, isOffered: true } }) : pushed;
}
