import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the package's `systemd/`: above this file, built or not. */
export function shippedUnits(from = import.meta.dirname): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    const units = join(folder, 'systemd');
    if (existsSync(join(units, 'autark-go-back'))) return units;
  }
  throw new Error(`no folder systemd/ above ${from}: the package is not whole`);
}

/** A file of that folder. */
export function shippedFile(name: string): string {
  return join(shippedUnits(), name);
}
