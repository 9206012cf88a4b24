import { renameSync, symlinkSync } from 'node:fs';
import type { FleetHost } from './fleet.ts';

/** Points a link of a host elsewhere by a rename, as a person's `ln -sfn` does: it is never missing in between. */
export function relink(host: FleetHost, path: string, target: string): void {
  symlinkSync(target, host.path(`${path}.new`));
  renameSync(host.path(`${path}.new`), host.path(path));
}

/** The link to the generation that is current. */
export const currentLink = 'var/lib/autark/current';
