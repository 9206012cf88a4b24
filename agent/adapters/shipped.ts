import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What `bundle/` puts in the place of this name: the files of `systemd/`. Nothing defines it in the package. */
declare const AUTARK_SHIPPED: Readonly<Record<string, string>> | undefined;

/**
 * The text of a file of `systemd/`: out of the program itself where that is a single file, else from the package's
 * folder. Only this module knows which.
 */
export function shippedFile(name: string): string {
  if (typeof AUTARK_SHIPPED === 'undefined') return readFileSync(join(shippedFolder(), name), 'utf8');
  const text = AUTARK_SHIPPED[name];
  if (text === undefined) throw new Error(`${name} is not in this file: it was not bundled whole`);
  return text;
}

/** Where the running program lies, links followed, when it is a single file; else `null`. */
export function singleFile(): string | null {
  return typeof AUTARK_SHIPPED === 'undefined' ? null : import.meta.filename;
}

/** Above this file, built or not. */
function shippedFolder(from = import.meta.dirname): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const units = join(folder, 'systemd');
    if (existsSync(join(units, 'autark-go-back'))) return units;
  }
  throw new Error(`no folder systemd/ above ${from}: the package is not whole`);
}
