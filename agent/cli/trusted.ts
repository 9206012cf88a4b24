import type { ObjectId } from '../../shared/objects/object.ts';

/** Said the first time that a clone trusts a commit which nobody told it (compare ssh(1), known hosts). */
export function trusted(introduction: ObjectId): string {
  return (
    `nobody told this clone where the fleet begins; from now on it trusts ${introduction}, as the server shows it: ` +
    'compare that with what `autark init` printed'
  );
}
