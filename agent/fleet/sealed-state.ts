import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { parseRawTree, type TreeItem } from '../../shared/objects/tree.ts';
import { backupNameOf, backupsFolder, mostSealedBytes } from '../../shared/record/sealed-part.ts';
import { readRecord, type StateRecord } from '../../shared/record/tip.ts';
import type { Clone, ObjectReader } from '../clone-ports.ts';
import { lookUp, readBytes, readCommit } from '../objects/read.ts';
import { withObjects } from './authority.ts';
import type { Snapshot } from './read.ts';
import { foundIn, namesOf } from './state-objects.ts';

/** A host's newest record, if it is good (S8): nothing else may be opened (S12), for age does not say who sealed a file. */
export function goodRecord(
  { claims, earlier }: Pick<Snapshot, 'claims' | 'earlier'>,
  host: string,
): Result<StateRecord> {
  if (earlier.has(host)) return fail(ofAnother(host));
  const claim = claims.get(host);
  if (claim === undefined) return fail(nothingYet(host));
  const { record, problem } = claim;
  return record !== null && problem === null ? ok(record) : fail(notGood(host, problem, record));
}

/** The bytes of a sealed file in a record's tree; `null` when it holds none there. */
export function sealedIn(
  clone: Clone,
  { id }: Pick<StateRecord, 'id'>,
  path: string,
): Promise<Result<Uint8Array | null>> {
  return withObjects(clone, async (objects) => {
    const item = await itemIn(objects, id, path);
    if (!item.ok || item.value === null || !isFile(item.value)) return item.ok ? ok(null) : item;
    const sizes = await clone.sizes([item.value.id]);
    if (!sizes.ok) return sizes;
    const size = sizes.value.get(item.value.id) ?? 0;
    if (size > mostSealedBytes) return fail(tooLarge(path, size));
    return readBytes(objects, item.value.id, 'blob');
  });
}

/** A backup as its record holds it, without being opened. */
export interface SealedBackup {
  readonly name: string;
  /** Bytes of the sealed file. */
  readonly size: number;
  /** The record with which the file became what it is; `null` when that lies too far back. */
  readonly since: Pick<StateRecord, 'seq' | 'id' | 'at'> | null;
}

export interface SealedBackups {
  /** By name. */
  readonly backups: readonly SealedBackup[];
  /** How many things lie beside them that are no backups: links, folders, and names that no backup has. */
  readonly others: number;
}

export async function backupsIn(clone: Clone, record: StateRecord): Promise<Result<SealedBackups>> {
  const items = await withObjects(clone, (objects) => folderIn(objects, record.id));
  if (!items.ok) return items;
  const files = filesOf(items.value);
  const sizes = await clone.sizes([...files.values()]);
  if (!sizes.ok) return sizes;
  const since = await unchangedSince(clone, record, files);
  if (!since.ok) return since;
  const backups = [...files].map(([name, id]) => {
    return { name, size: sizes.value.get(id) ?? 0, since: since.value.get(name) ?? null };
  });
  const sorted = backups.sort((one, other) => (one.name < other.name ? -1 : 1));
  return ok({ backups: sorted, others: items.value.length - backups.length });
}

/** Records that are looked back at. */
const farthest = 1000;

/** Whoever signed the newest record signed with it what all those below are, by their ids. */
async function unchangedSince(
  clone: Clone,
  { id: tip }: StateRecord,
  files: ReadonlyMap<string, ObjectId>,
): Promise<Result<ReadonlyMap<string, StateRecord>>> {
  const found = new Map<string, StateRecord>();
  if (files.size === 0) return ok(found);
  const chain = await clone.firstParents([tip], { limit: farthest });
  if (!chain.ok) return chain;
  const ids = [...chain.value.keys()];
  const folders = await clone.read(ids.map((id) => `${id}:${backupsFolder}`));
  if (!folders.ok) return folders;
  const held = ids.map((id) => {
    const items = parseRawTree(folders.value.get(`${id}:${backupsFolder}`)?.bytes ?? new Uint8Array());
    return filesOf(items.ok ? items.value : []);
  });
  const isWhole = chain.value.get(ids.at(-1) ?? '') === null;
  const begun = [...files].flatMap(([name, blob]): [string, ObjectId][] => {
    const other = held.findIndex((each) => each.get(name) !== blob);
    const first = other > 0 ? ids[other - 1] : isWhole && other < 0 ? ids.at(-1) : undefined;
    return first === undefined ? [] : [[name, first]];
  });
  const objects = await clone.read([...new Set(begun.flatMap(([, id]) => namesOf(id)))]);
  if (!objects.ok) return objects;
  for (const [name, id] of begun) {
    const commit = foundIn(objects.value, id);
    const record = commit.ok ? readRecord(commit.value) : null;
    if (record?.ok === true) found.set(name, record.value);
  }
  return ok(found);
}

/** Backups among the items of a folder. */
function filesOf(items: readonly TreeItem[]): ReadonlyMap<string, ObjectId> {
  return new Map(
    items.flatMap((item): [string, ObjectId][] => {
      const name = isFile(item) ? backupNameOf(item.name) : undefined;
      return name === undefined ? [] : [[name, item.id]];
    }),
  );
}

async function folderIn(objects: ObjectReader, commit: ObjectId): Promise<Result<readonly TreeItem[]>> {
  const folder = await itemIn(objects, commit, backupsFolder);
  if (!folder.ok) return folder;
  if (folder.value?.mode !== '40000') return ok([]);
  const bytes = await readBytes(objects, folder.value.id, 'tree');
  if (!bytes.ok) return bytes;
  const items = parseRawTree(bytes.value);
  return items.ok ? items : fail(unreadable(backupsFolder, items.failure));
}

async function itemIn(
  objects: ObjectReader,
  commit: ObjectId,
  path: string,
): Promise<Result<TreeItem | null>> {
  const read = await readCommit(objects, commit);
  return read.ok ? lookUp(objects, read.value.commit.tree, path) : read;
}

/** A link is nothing that was sealed. */
function isFile({ mode }: TreeItem): boolean {
  return mode === '100644' || mode === '100755';
}

function ofAnother(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} is another machine now, and its branch still shows the records of the one before`,
    where: `state/${host}`,
    remedy:
      'wait for its first record (`autark agent` there); what the machine before left opens with git and age alone: ' +
      `git show origin/state/${host}:${backupsFolder}/NAME.age | age -d -i FILE`,
  };
}

function nothingYet(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} has recorded nothing yet`,
    where: `state/${host}`,
    remedy: `run \`autark agent\` on it; \`autark status ${host}\` shows when something arrives`,
  };
}

function notGood(host: string, problem: string | null, record: StateRecord | null): Failure {
  return {
    kind: 'not-authentic',
    cause: `nothing is opened of ${host}, for its newest record is not good: ${problem ?? 'it cannot be read'}`,
    where: record === null ? `state/${host}` : `state/${host}, ${record.id}`,
    remedy:
      'look at who pushed it (`autark verify` checks all records); the host itself replaces what it did not write',
  };
}

function tooLarge(where: string, size: number): Failure {
  return {
    kind: 'invalid',
    cause: `the sealed file has ${size} bytes, more than the ${mostSealedBytes} that are opened`,
    where,
    remedy: 'open it with git and age alone: git show ORIGIN/state/HOST:FILE | age -d -i FILE',
  };
}

function unreadable(where: string, why: string): Failure {
  return {
    kind: 'invalid',
    cause: `the folder cannot be read: ${why}`,
    where,
    remedy: 'look at what the host wrote: git log origin/state/HOST',
  };
}
