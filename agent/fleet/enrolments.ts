import { fail, ok, type Result } from '../../shared/failure.ts';
import { checkEnrolment, type Enrolment } from '../../shared/record/enrolment.ts';
import type { Clone, RemoteRef } from '../clone-ports.ts';
import { foundIn, namesOf } from './state-objects.ts';

/** Machines that wait under one name: those whose genesis is good, and why the others are not. */
export interface Candidates {
  readonly good: readonly Enrolment[];
  readonly bad: readonly { readonly ref: string; readonly problem: string }[];
}

/** Reads and checks what waits under a host's name; anybody who can push may have put it there. */
export async function readCandidates(
  clone: Clone,
  refs: readonly RemoteRef[],
  named: { readonly fleet: string; readonly host: string },
): Promise<Result<Candidates>> {
  const objects = await clone.read(refs.flatMap((ref) => namesOf(ref.id)));
  if (!objects.ok) return objects;
  const checked = refs.map((ref) => {
    const found = foundIn(objects.value, ref.id);
    const print = ref.name.split('/').at(-1) ?? '';
    return {
      ref: ref.name,
      result: found.ok ? checkEnrolment(found.value, { ...named, print }) : fail(found.failure),
    };
  });
  return ok({
    good: checked.flatMap(({ result }) => (result.ok ? [result.value] : [])),
    bad: checked.flatMap(({ ref, result }) => (result.ok ? [] : [{ ref, problem: result.failure }])),
  });
}
