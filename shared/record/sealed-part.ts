/** The sealed files of a state commit, by their paths in its tree (docs/ledger.md). */

export const ledgerPath = 'ledger.age';
export const backupsFolder = 'backups';

/** Bytes above which no sealed file of a state is read or shown: four of the largest, a header of LUKS. */
export const mostSealedBytes = 64 * 2 ** 20;

const ending = '.age';

/** Whether a backup may have this name, wherever it was read: it is said to people, and no path is ever made of it. */
export function isBackupName(text: string): boolean {
  return /^[A-Za-z0-9._-]{1,120}$/.test(text);
}

export function backupPath(name: string): string {
  return `${backupsFolder}/${name}${ending}`;
}

/** The backup that a file in the folder holds; `undefined` for a file that is none. */
export function backupNameOf(file: string): string | undefined {
  const name = file.endsWith(ending) ? file.slice(0, -ending.length) : '';
  return isBackupName(name) ? name : undefined;
}
