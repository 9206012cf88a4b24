import type { Draft } from '../cycle/phase.ts';
import { serialiseCommit, withSignature } from '../objects/commit.ts';
import { objectId, type GitObject, type ObjectId } from '../objects/object.ts';
import { serialiseTree, type TreeItem } from '../objects/tree.ts';
import { formatMessage } from './message.ts';

/** Where a record hangs in the host's history. */
export interface Place {
  /** `null` for the genesis itself. */
  readonly genesis: ObjectId | null;
  /** The previous state commit; `null` for the genesis. */
  readonly previous: ObjectId | null;
  /** False with `stateRemote`: the revision is not in that repository, so it cannot be a parent. */
  readonly withRevision: boolean;
}

/** A state commit, signed, with every object that it needs besides its parents. */
export interface StateCommit {
  readonly id: ObjectId;
  readonly objects: readonly GitObject[];
}

/** The sealed files of a record, by path: `ledger.age`, and those below `backups/`. */
export type SealedFiles = ReadonlyMap<string, Uint8Array>;

/**
 * The state commit for a draft, as formats.md describes it. The same draft at the same place gives the same
 * bytes, signature included (Ed25519 is deterministic, RFC 8032), so that a crash between writing it and
 * noting it can simply be repeated.
 * @param sealed by path, what else is in its tree
 * @param sign gives the armoured SSH signature, namespace `git`, over the commit's bytes
 */
export function composeStateCommit(
  draft: Draft,
  place: Place,
  sign: (payload: Uint8Array) => string,
  sealed: SealedFiles = new Map(),
): StateCommit {
  const status = new TextEncoder().encode(`${JSON.stringify(draft.status, null, 2)}\n`);
  const { root, objects } = treeOf(new Map([['status.json', status], ...sealed]));
  const who = identity(draft);
  const payload = serialiseCommit({
    tree: root,
    parents: parentsOf(draft, place),
    author: who,
    committer: who,
    message: formatMessage(draft, place.genesis),
  });
  const commit = object('commit', withSignature(payload, sign(payload)));
  return { id: objectId(commit), objects: [...objects, commit] };
}

/** Blobs first, then trees, the root last. Paths have one folder at most. */
function treeOf(files: SealedFiles): { readonly root: ObjectId; readonly objects: readonly GitObject[] } {
  const objects: GitObject[] = [];
  const folders = new Map<string, TreeItem[]>([['', []]]);
  for (const [path, bytes] of files) {
    const [name = '', folder = ''] = path.split('/').reverse();
    const file = object('blob', bytes);
    objects.push(file);
    folders.set(folder, [...(folders.get(folder) ?? []), { mode: '100644', name, id: objectId(file) }]);
  }
  const items = folders.get('') ?? [];
  for (const [name, inner] of folders) {
    if (name === '') continue;
    const tree = object('tree', serialiseTree(inner));
    objects.push(tree);
    items.push({ mode: '40000', name, id: objectId(tree) });
  }
  const root = object('tree', serialiseTree(items));
  return { root: objectId(root), objects: [...objects, root] };
}

function parentsOf(draft: Draft, place: Place): ObjectId[] {
  const revision = draft.deploys && place.withRevision ? draft.status.system?.revision : undefined;
  return [place.previous, draft.replaces ?? null, revision ?? null].filter((parent) => parent !== null);
}

/** Git cannot write a time before 1970; a clock that far off must not stop the record (P6). */
function identity(draft: Draft) {
  const { host } = draft.status;
  const seconds = Math.max(0, Math.floor(draft.at / 1000));
  return { name: host, email: `${host}@fleet`, seconds, zone: '+0000' };
}

function object(type: GitObject['type'], bytes: Uint8Array): GitObject {
  return { type, bytes };
}
