import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Why a file may hold what somebody else wrote, or `undefined` when only this user could have: the file and its
 * folder are no links, belong to this user, and nobody else may write to them (inode(7)). What is believed without
 * being verified again must be such a file. Throws the system's error.
 * @param others users who are trusted as well as this one
 */
export function foreignWriter(file: string, others: readonly number[] = []): string | undefined {
  const trusted = [process.geteuid?.(), ...others];
  for (const path of [dirname(file), file]) {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return `${path} is a link`;
    if (!trusted.includes(found.uid)) return `${path} belongs to the user ${found.uid}`;
    if ((found.mode & 0o022) !== 0)
      return `others may write to ${path} (mode 0${(found.mode & 0o777).toString(8)})`;
  }
  return undefined;
}
