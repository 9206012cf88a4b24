import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Whether NixOS makes the machine below `root`: then all of /etc, units too, comes with its configuration. */
export function isNixos(root: string): boolean {
  return existsSync(join(root, 'etc/NIXOS'));
}
