import { createHash } from 'node:crypto';
import type { Backup } from '../disk/backup.ts';
import { publicName } from '../disk/public-name.ts';
import type { Disk } from '../disk/disk.ts';
import type { KeptBackup, Ledger } from './ledger.ts';
import { serialiseLedger } from './parse-ledger.ts';

/** What was found on the machine just now. */
export interface Findings {
  readonly disks: readonly Disk[];
  readonly backups: readonly Backup[];
}

export interface LedgerCircumstances {
  readonly fleet: string;
  readonly host: string;
  readonly installation: string;
  /** The number of the next record. */
  readonly seq: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** To whom it is to be sealed, without comments. */
  readonly readers: readonly string[];
  /** Backups that the ledger names, and that this machine has no more. */
  readonly lost: ReadonlySet<string>;
}

export interface NextLedger {
  readonly ledger: Ledger;
  /** The backups whose content is new, or was lost. */
  readonly seal: readonly Backup[];
  /** What there is to write, and whether it is worth a record of its own. */
  readonly news: 'nothing' | 'ledger' | 'backups';
}

/** More than that many backups are kept only of what is there: one that was found last long ago goes first. */
export const mostBackups = 200;

/**
 * The ledger after a look at the disks. All that it said besides stays, also what this version does not know: another
 * one may have written it.
 */
export function nextLedger(
  before: Ledger | null,
  { disks, backups: found }: Findings,
  around: LedgerCircumstances,
): NextLedger {
  const kept = before?.backups ?? {};
  const backups = found.map(({ name, content }) => ({ ...publicName(name, around.fleet), content }));
  const taken = new Map(
    backups.map(({ name, of, content }): [string, KeptBackup] => {
      const sha256 = digestOf(content);
      const old = kept[name];
      const isNew = old?.sha256 !== sha256 || around.lost.has(name);
      return [name, isNew ? { sha256, taken: around.at, ...(of === undefined ? {} : { of }) } : old];
    }),
  );
  const seal = backups.filter(({ name }) => kept[name] !== taken.get(name));
  const ledger: Ledger = {
    ...(before ?? { format: 1, fleet: around.fleet, host: around.host }),
    readers: [...new Set(around.readers)].sort(),
    begun: before?.begun ?? { seq: around.seq, installation: around.installation },
    disks,
    backups: Object.fromEntries(
      [...stillKept(kept, taken, around.lost), ...taken].sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  };
  const isSame = before !== null && serialiseLedger(ledger) === serialiseLedger(before);
  return { ledger, seal, news: isSame ? 'nothing' : seal.length > 0 ? 'backups' : 'ledger' };
}

/** What was not found again, the newest first, as far as there is room; what was lost as well is in older records alone. */
function stillKept(
  kept: Readonly<Record<string, KeptBackup>>,
  found: ReadonlyMap<string, KeptBackup>,
  lost: ReadonlySet<string>,
): readonly (readonly [string, KeptBackup])[] {
  const gone = Object.entries(kept).filter(([name]) => !found.has(name) && !lost.has(name));
  const newestFirst = gone.sort(([, a], [, b]) => (a.taken < b.taken ? 1 : -1));
  return newestFirst.slice(0, Math.max(0, mostBackups - found.size));
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
