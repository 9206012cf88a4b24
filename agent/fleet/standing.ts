import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { openAdmins, type Keys } from '../../shared/trust/admins.ts';
import type { Clone } from '../clone-ports.ts';
import { findAuthority, withHistory } from './authority.ts';
import { keep, type Introduction } from './introduction.ts';

/** Who may sign above the commit that is checked out. */
export interface Standing {
  readonly introduction: Introduction;
  readonly admins: Keys;
}

/**
 * Whether what this key signs above the checked-out commit would be authentic (S1): that is so itself, and the key is
 * one of its admins'. A commit that no host would follow is not made in the first place.
 * @param key `TYPE BASE64`
 */
export async function standingOf(clone: Clone, key: string): Promise<Result<Standing>> {
  const { head } = clone;
  if (head === null) throw new Error('nothing is committed, so nobody has a standing');
  const remembered = await clone.memory.load();
  const authority = await findAuthority(clone, head, remembered);
  if (!authority.ok) return authority;
  const { introduction, problem } = authority.value;
  if (problem !== null) return fail(problem);
  await keep(clone, introduction, remembered);
  const admins = await adminsAt(clone, introduction.id, head);
  if (!admins.ok) return admins;
  return admins.value.has(key) ? ok({ introduction, admins: admins.value }) : fail(notAnAdmin(key, head));
}

/** Whose signatures count above an authentic commit. */
export function adminsAt(clone: Clone, introduction: ObjectId, id: ObjectId): Promise<Result<Keys>> {
  return withHistory(clone, (history) => openAdmins(history, introduction, new Map()).read(id));
}

/** A commit by this key would be refused by every host (S1). */
export function notAnAdmin(key: string, where: ObjectId): Failure {
  return {
    kind: 'not-authentic',
    cause: 'your key may not sign here, so no host would follow the commit',
    where: `allowed_signers, ${where}`,
    remedy:
      'have an admin run `autark admin add NAME --key FILE.pub`, or sign with a key that may: autark join --key FILE',
    detail: key,
  };
}
