import type { Clone } from '../../../agent/clone-ports.ts';
import type { Claim } from '../../../shared/fleet-view/host-state.ts';
import { draft } from '../../shared/record/drafts.ts';

/** A clone that can only do this. */
export function cloneWith(can: Partial<Clone>): Clone {
  const unused = () => Promise.reject(new Error('not asked for'));
  return {
    root: '/clone',
    branch: 'main',
    head: null,
    remote: null,
    introduction: null,
    memory: { load: () => Promise.resolve(null), save: () => Promise.resolve() },
    objects: unused,
    between: unused,
    fetch: unused,
    remoteRefs: unused,
    read: unused,
    sizes: unused,
    firstParents: unused,
    distance: unused,
    ...can,
  };
}

/** What a host that runs this revision says. */
export function claimOf(revision: string): Claim {
  const { status } = draft();
  const { seq, at } = status;
  const record = {
    id: 'd'.repeat(40),
    seq,
    at,
    event: 'deployed',
    code: 0,
    subject: 's',
    message: '',
  } as const;
  return { record: { ...record, status, revision }, problem: null };
}
