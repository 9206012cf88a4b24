import type { Failure } from '../failure.ts';
import type { ObjectId } from '../objects/object.ts';
import { fingerprint, parsePublicKey } from './public-key.ts';

/** The rules of the verdict: S1 (a) and (b), the floor, and what a signature must be. */
export type Rule = 'S1a' | 'S1b' | 'S2' | 'S3';

/** Why a revision is not authentic: `where` is the commit that breaks the rule. */
export interface Refusal extends Failure {
  /** Absent when the history could not be read. */
  readonly rule?: Rule;
}

/** S1 (a). `isHead` when it is the revision itself, and not something merged into it. */
export function stranger(id: ObjectId, introduction: ObjectId, isHead: boolean): Refusal {
  const remedy = isHead
    ? 'push a branch that descends from it; the host’s introduction is in its agent.yaml'
    : 'leave out what merged it, and bring its changes in as commits of your own (`git cherry-pick`)';
  const cause = `${isHead ? 'the revision' : 'a merged commit'} does not descend from the introduction ${introduction}`;
  return refusal('S1a', id, cause, remedy);
}

/** S1 (b): the signature is good, but not by an admin of this parent. */
export function notAnAdmin(
  id: ObjectId,
  {
    parent,
    key,
    hasAdmins,
  }: { readonly parent: ObjectId; readonly key: string; readonly hasAdmins: boolean },
): Refusal {
  const signer = parsePublicKey(key);
  const name = signer.ok ? fingerprint(signer.value.blob) : key;
  if (!hasAdmins) {
    const cause = `nobody may sign above its parent ${parent}: no allowed_signers grants anything there`;
    return refusal('S1b', id, cause, `push a branch that does not go by way of ${parent}`);
  }
  return refusal(
    'S1b',
    id,
    `it is signed with ${name}, which is not an admin’s key at its parent ${parent}`,
    `have somebody sign it whom allowed_signers names there (\`git show ${parent}:allowed_signers\`); ` +
      'a new admin signs above the commit that adds them, and a merge is signed by an admin of all its sides',
  );
}

/** S3: no signature, or none that counts. Merge buttons and editors of a forge's pages come to this, too. */
export function badSignature(id: ObjectId, cause: string, parent: ObjectId | undefined): Refusal {
  const remedy =
    'a forge’s web page signs with no admin’s key: in a clone, `autark promote` signs what was merged there; ' +
    'for commits of your own run `autark join`, so that git signs, and sign again from this one on: ' +
    `\`git rebase --force-rebase --rebase-merges --gpg-sign ${parent ?? '--root'}\`, ` +
    'and where it was pushed already `git push --force-with-lease`, for no host has accepted it';
  return refusal('S3', id, cause, remedy);
}

/** S2: the head is older than, or beside, a floor. */
export function belowFloor(head: ObjectId, floor: ObjectId): Refusal {
  const cause = `the revision does not descend from ${floor}, which this host must not go below`;
  return refusal(
    'S2',
    head,
    cause,
    `push again what was taken back, or join both: \`git merge -s ours ${floor}\``,
  );
}

function refusal(rule: Rule, where: ObjectId, cause: string, remedy: string): Refusal {
  return { kind: 'not-authentic', rule, cause, where, remedy };
}
