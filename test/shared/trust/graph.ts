import { ok, fail, type Result } from '../../../shared/failure.ts';
import { serialiseCommit, withSignature } from '../../../shared/objects/commit.ts';
import { objectId, type GitObject, type ObjectId, type ObjectType } from '../../../shared/objects/object.ts';
import { serialiseTree } from '../../../shared/objects/tree.ts';
import { historyFrom, type History } from '../../../shared/trust/history.ts';
import { judge, type Refusal } from '../../../shared/trust/verdict.ts';
import { signWith } from '../../../shared/trust/sshsig.ts';
import { failureOf } from '../../agent/adapters/scratch.ts';
import { keyOf } from './fixtures.ts';

/** What a test says of a commit. */
export interface Draft {
  /** The text of `allowed_signers`; `null` for a tree without it. */
  readonly signers?: string | null;
  /** Whose key signs; `null` for no signature. */
  readonly by?: string | null;
  /** In place of that: the armour for these bytes. */
  readonly signature?: (payload: Uint8Array) => string;
  readonly seconds?: number;
}

/** An object database in memory, of real objects: commits are signed, trees hold an `allowed_signers`. */
export interface Graph {
  readonly history: History;
  readonly objects: Map<ObjectId, GitObject>;
  /** How many objects were read. */
  readonly reads: () => number;
  readonly put: (type: ObjectType, bytes: Uint8Array) => ObjectId;
  readonly tree: (signers: string | null) => ObjectId;
  /** Every commit is another one, whatever the draft says. */
  readonly commit: (parents: readonly ObjectId[], draft?: Draft) => ObjectId;
}

/** Lines that grant to these. */
export function allow(...names: readonly string[]): string {
  return names.map((name) => `${name} ${keyOf(name).line}\n`).join('');
}

export function makeGraph(): Graph {
  const objects = new Map<ObjectId, GitObject>();
  let reads = 0;
  let count = 0;
  const put = (type: ObjectType, bytes: Uint8Array): ObjectId => {
    const id = objectId({ type, bytes });
    objects.set(id, { type, bytes });
    return id;
  };
  const tree = (signers: string | null): ObjectId => {
    const id = signers === null ? null : put('blob', Buffer.from(signers));
    return put('tree', serialiseTree(id === null ? [] : [{ mode: '100644', name: 'allowed_signers', id }]));
  };
  const read = (id: ObjectId): Promise<Result<GitObject>> => {
    reads += 1;
    const object = objects.get(id);
    return Promise.resolve(object === undefined ? fail(missing(id)) : ok(object));
  };
  return {
    objects,
    history: historyFrom({ read }),
    reads: () => reads,
    put,
    tree,
    commit(parents, { signers = allow('alice'), by = 'alice', signature, seconds = 1_700_000_000 } = {}) {
      count += 1;
      const who = { name: 'A', email: 'a@example.org', seconds, zone: '+0000' };
      const message = `commit ${count}\n`;
      const payload = serialiseCommit({ tree: tree(signers), parents, author: who, committer: who, message });
      const sign =
        signature ?? (by === null ? null : (bytes: Uint8Array) => signWith(keyOf(by), 'git', bytes));
      return put('commit', sign === null ? payload : withSignature(payload, sign(payload)));
    },
  };
}

/** A graph with an introduction. */
export type Fleet = Graph & { readonly introduction: ObjectId };

/** A fleet whose admins are these. */
export function fleet(...admins: readonly string[]): Fleet {
  const graph = makeGraph();
  return { ...graph, introduction: graph.commit([], { signers: allow(...admins) }) };
}

export function verdict({ introduction, history }: Fleet, head: ObjectId, known = new Set<ObjectId>()) {
  return judge({ introduction, head, known }, history);
}

export async function refusal(graph: Fleet, head: ObjectId): Promise<Refusal> {
  return failureOf(await verdict(graph, head));
}

function missing(id: ObjectId) {
  return { kind: 'unexpected', cause: 'the object is missing', where: id, remedy: 'fetch again' } as const;
}
