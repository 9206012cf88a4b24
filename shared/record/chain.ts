import { fail, type Result } from '../failure.ts';
import { checkRecord, notGood, type Found, type Pinned, type StateRecord } from './tip.ts';

/**
 * One link of a *chain good* (S8), from the tip down: tip good itself, one below the record above it, and a record
 * that follows none exactly when it is the genesis. Somebody who checks every link down to a record with `seq` 0
 * has checked the chain: the pinned genesis is what each of them names, and what the last one is.
 * @param above the record that follows this one; `null` for the tip
 */
export function checkLink(found: Found, pinned: Pinned, above: StateRecord | null): Result<StateRecord> {
  const record = checkRecord(found, pinned);
  if (!record.ok) return record;
  const problem = placeProblem(found, record.value, above);
  return problem === undefined ? record : fail(notGood(found.id, problem));
}

function placeProblem(
  { commit }: Found,
  { seq, genesis }: StateRecord,
  above: StateRecord | null,
): string | undefined {
  if (above !== null && genesis !== above.genesis) {
    return `it belongs to the genesis ${genesis ?? 'of nobody'}, and the record that follows it to another`;
  }
  if (above !== null && seq !== above.seq - 1) {
    return `its number is ${seq}, and the record that follows it has ${above.seq}`;
  }
  const follows = commit.parents.length > 0;
  if (seq === 0 && follows) return 'it has the number 0, and is not the first';
  if (seq > 0 && !follows) return `its number is ${seq}, and it follows none`;
  return undefined;
}
