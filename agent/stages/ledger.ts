import type { Draft } from '../../shared/cycle/phase.ts';
import { withReport } from '../../shared/cycle/reports.ts';
import { fail, ok, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { parseTree } from '../../shared/objects/tree.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { knownToBoth } from '../../shared/record/ledger-runs.ts';
import { backupsFolder, ledgerPath } from '../../shared/record/sealed-part.ts';
import type { SealedFiles } from '../../shared/record/state-commit.ts';
import type { ObjectSource } from '../../shared/trust/history.ts';
import type { Context } from '../context.ts';
import type { Ledgers } from '../ledger-ports.ts';
import { lookUp, readBytes, readCommit } from '../objects/read.ts';

/**
 * The sealed files of a draft, as they were when it was made. One that is no longer kept is asked of Git, for the record
 * before may have had it; one that nobody has is left out and reported: the host must go on.
 */
export async function sealedFor(context: Context, { sealed = {} }: Draft): Promise<Result<SealedFiles>> {
  const { ledgers, git } = context.effects('record');
  const files = new Map<string, Uint8Array>();
  for (const [path, id] of Object.entries(sealed)) {
    const kept = await ledgers.read(path, id);
    if (!kept.ok) return kept;
    const bytes = kept.value === null ? await readBytes(git, id, 'blob') : ok(kept.value);
    if (bytes.ok) files.set(path, bytes.value);
    else report(context, `${path} is lost: neither this machine nor Git has it as it was recorded`);
  }
  return ok(files);
}

function report({ memory, senses }: Context, message: string): void {
  const { host, reports } = memory.journal;
  senses.log({ kind: 'warning', host, message });
  memory.remember({ reports: withReport(reports, message) });
}

/**
 * Takes over the sealed part of an own record that is good, and that this machine did not know: after it was restored or
 * lost its memory. One that cannot be opened leaves what there is, and says why.
 */
export async function takeSealed(
  { git, ledgers }: { readonly git: ObjectSource; readonly ledgers: Ledgers },
  record: ObjectId,
  whose: Pick<Ledger, 'fleet' | 'host'>,
): Promise<Result<void>> {
  const files = await sealedIn(git, record);
  if (!files.ok) return files;
  const own = await ledgers.load(whose);
  const taken = await ledgers.take(files.value, whose);
  return taken.ok && own.ok && own.value !== null ? remember(ledgers, own.value, whose) : taken;
}

/** What this machine knew of its own runs is not forgotten for a record that did not: one may still wait in the outbox. */
async function remember(
  ledgers: Ledgers,
  kept: Ledger,
  whose: Pick<Ledger, 'fleet' | 'host'>,
): Promise<Result<void>> {
  const loaded = await ledgers.load(whose);
  if (!loaded.ok || loaded.value === null) return loaded.ok ? ok(undefined) : loaded;
  const ledger = loaded.value;
  const whole = { ...ledger, ...knownToBoth(ledger, kept) };
  const isSame = JSON.stringify(whole) === JSON.stringify(ledger);
  return isSame ? ok(undefined) : ledgers.keep(whole, [], ledger);
}

/** The sealed files in a record's tree, by path. */
export async function sealedIn(git: ObjectSource, record: ObjectId): Promise<Result<SealedFiles>> {
  const files = new Map<string, Uint8Array>();
  const read = await readCommit(git, record);
  if (!read.ok) return read;
  const { tree } = read.value.commit;
  const ledger = await lookUp(git, tree, ledgerPath);
  if (!ledger.ok) return ledger;
  if (ledger.value?.mode !== '100644') return ok(files);
  const folder = await itemsBelow(git, tree);
  if (!folder.ok) return folder;
  for (const [path, id] of [[ledgerPath, ledger.value.id] as const, ...folder.value]) {
    const bytes = await readBytes(git, id, 'blob');
    if (!bytes.ok) return bytes;
    files.set(path, bytes.value);
  }
  return ok(files);
}

async function itemsBelow(
  git: ObjectSource,
  tree: ObjectId,
): Promise<Result<readonly (readonly [string, ObjectId])[]>> {
  const folder = await lookUp(git, tree, backupsFolder);
  if (!folder.ok || folder.value?.mode !== '40000') return folder.ok ? ok([]) : folder;
  const bytes = await readBytes(git, folder.value.id, 'tree');
  if (!bytes.ok) return bytes;
  const items = parseTree(bytes.value);
  if (!items.ok) return fail(unreadable(folder.value.id, items.failure));
  return ok(
    items.value
      .filter(({ mode }) => mode === '100644')
      .map(({ name, id }) => [`${backupsFolder}/${name}`, id] as const),
  );
}

function unreadable(where: ObjectId, why: string) {
  return {
    kind: 'unexpected' as const,
    cause: `the backups of an own record cannot be read: ${why}`,
    where,
    remedy: 'restore them from an earlier record with plain Git',
  };
}
