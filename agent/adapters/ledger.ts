import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { objectId } from '../../shared/objects/object.ts';
import type { Backup } from '../../shared/disk/backup.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import type { SealedFiles } from '../../shared/record/state-commit.ts';
import { backupNameOf, backupPath, backupsFolder, ledgerPath } from '../../shared/record/sealed-part.ts';
import { parseLedger, serialiseLedger } from '../../shared/record/parse-ledger.ts';
import type { Ledgers } from '../ledger-ports.ts';
import type { Opener, Sealer } from '../secret-ports.ts';
import { makeFolder, namesIn, readIfThere, removeDurably, writeDurably } from './durable.ts';
import { fileFailure } from './file-failure.ts';

export interface FileLedgersOptions {
  /** `var/lib/autark/state`, absolute. */
  readonly folder: string;
  readonly opener: Opener;
  readonly sealer: Sealer;
}

type Whose = Pick<Ledger, 'fleet' | 'host'>;

/**
 * Files that lie as in a state commit, sealed as there; root's alone, although they are sealed. One file after the other is
 * written, the ledger last: cut off before it, the same is found to be new once more.
 */
export function fileLedgers(options: FileLedgersOptions): Ledgers {
  const { folder, opener } = options;
  const read = (path: string) => readIfThere(join(folder, path));
  return {
    async load(whose) {
      const bytes = await read(ledgerPath);
      if (!bytes.ok || bytes.value === null) return bytes.ok ? ok(null) : bytes;
      return openLedger(opener, bytes.value, join(folder, ledgerPath), whose);
    },
    keep: (ledger, backups, before) => keepAll(options, ledger, backups, before),
    async sealAnew(recipients) {
      for (const path of await pathsIn(folder)) {
        const sealed = await sealAgain(options, path, recipients);
        if (!sealed.ok) return sealed;
      }
      return ok(undefined);
    },
    async ids() {
      const found: [string, string][] = [];
      for (const path of await pathsIn(folder)) {
        const bytes = await read(path);
        if (!bytes.ok) return bytes;
        if (bytes.value !== null) found.push([path, idOf(bytes.value)]);
      }
      return ok(Object.fromEntries(found));
    },
    async read(path, id) {
      const bytes = isPath(path) ? await read(path) : ok(null);
      return bytes.ok && bytes.value !== null && idOf(bytes.value) !== id ? ok(null) : bytes;
    },
    take: (files, whose) => takeAll(options, files, whose),
    open: (sealed, whose) => openLedger(options.opener, sealed, ledgerPath, whose),
  };
}

async function keepAll(
  options: FileLedgersOptions,
  ledger: Ledger,
  backups: readonly Backup[],
  before: Ledger | null,
): Promise<Result<void>> {
  const made = await foldersIn(options.folder);
  if (!made.ok) return made;
  const isForOthers = before === null || before.readers.join() !== ledger.readers.join();
  const anew = new Map(backups.map(({ name, content }) => [name, content]));
  const names = Object.keys(ledger.backups);
  for (const name of names) {
    const content = anew.get(name);
    if (content === undefined && !isForOthers) continue;
    const written =
      content === undefined
        ? await sealAgain(options, backupPath(name), ledger.readers)
        : await seal(options, backupPath(name), content, ledger.readers);
    if (!written.ok) return written;
  }
  const text = Buffer.from(serialiseLedger(ledger));
  const written = await seal(options, ledgerPath, text, ledger.readers);
  return written.ok ? removeBut(options.folder, names.map(backupPath)) : written;
}

async function takeAll(
  { folder, opener }: FileLedgersOptions,
  files: SealedFiles,
  whose: Whose,
): Promise<Result<void>> {
  const sealed = files.get(ledgerPath);
  if (sealed === undefined) return ok(undefined);
  const opened = await openLedger(opener, sealed, ledgerPath, whose);
  if (!opened.ok) return opened;
  const made = await foldersIn(folder);
  if (!made.ok) return made;
  const backups = [...files].filter(([path]) => isPath(path) && path !== ledgerPath);
  for (const [path, bytes] of [...backups, [ledgerPath, sealed] as const]) {
    const written = await writeDurably(join(folder, path), bytes, 0o600);
    if (!written.ok) return written;
  }
  return removeBut(
    folder,
    backups.map(([path]) => path),
  );
}

async function seal(
  { folder, sealer }: FileLedgersOptions,
  path: string,
  value: Uint8Array,
  recipients: readonly string[],
): Promise<Result<void>> {
  const sealed = await sealer.seal(value, recipients);
  return sealed.ok ? writeDurably(join(folder, path), Buffer.from(sealed.value), 0o600) : sealed;
}

/** The same content for others. What is not there needs none, and what cannot be opened stays as it is: damaged, it harms no other. */
async function sealAgain(
  options: FileLedgersOptions,
  path: string,
  recipients: readonly string[],
): Promise<Result<void>> {
  const place = join(options.folder, path);
  const bytes = await readIfThere(place);
  if (!bytes.ok || bytes.value === null) return bytes.ok ? ok(undefined) : bytes;
  const value = await options.opener.open(bytes.value, place);
  return value.ok ? seal(options, path, value.value, recipients) : ok(undefined);
}

async function openLedger(
  opener: Opener,
  sealed: Uint8Array,
  where: string,
  { fleet, host }: Whose,
): Promise<Result<Ledger>> {
  const opened = await opener.open(sealed, where);
  if (!opened.ok) return opened;
  const ledger = parseLedger(Buffer.from(opened.value).toString('utf8'));
  if (!ledger.ok) return fail(unusable(where, ledger.failure));
  if (ledger.value.fleet === fleet && ledger.value.host === host) return ledger;
  return fail(unusable(where, `it is that of ${ledger.value.host} in the fleet ${ledger.value.fleet}`));
}

function unusable(where: string, why: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the ledger of this host cannot be used: ${why}`,
    where,
    remedy: 'put back the one of an earlier record of this host (git show state/HOST:ledger.age)',
  };
}

function idOf(bytes: Uint8Array): string {
  return objectId({ type: 'blob', bytes });
}

/** Whether a sealed file may lie there: what a killed writer left, with a dot in front, is none. */
function isPath(path: string): boolean {
  const [folder, name = '', ...deeper] = path.split('/');
  if (path === ledgerPath) return true;
  return (
    folder === backupsFolder &&
    deeper.length === 0 &&
    !name.startsWith('.') &&
    backupNameOf(name) !== undefined
  );
}

async function foldersIn(folder: string): Promise<Result<void>> {
  try {
    await makeFolder(join(folder, backupsFolder), 0o700);
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'make the folder of the ledger', folder));
  }
}

async function pathsIn(folder: string): Promise<readonly string[]> {
  const names = [
    ...(await namesIn(folder)),
    ...(await namesIn(join(folder, backupsFolder))).map((each) => `${backupsFolder}/${each}`),
  ];
  return names.filter(isPath).sort();
}

/** All backups but these; the ledger is none. */
async function removeBut(folder: string, paths: readonly string[]): Promise<Result<void>> {
  try {
    for (const path of await pathsIn(folder))
      if (path !== ledgerPath && !paths.includes(path)) await removeDurably(join(folder, path));
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'remove an old backup', folder));
  }
}
