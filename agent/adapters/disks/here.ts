import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Disks } from '../../disk-ports.ts';
import { takeBackups } from './backups.ts';
import { machineDisks, type DisksOptions } from './disks.ts';
import { noDisks } from './none.ts';

/**
 * The disks of a host. Below another root only where some are named (`dev/disk/by-id`): the machine's are its own host's
 * business. An agent that is not root can look at none.
 */
export function disksHere(options: DisksOptions): Disks {
  const byId = join(options.root, 'dev/disk/by-id');
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot || (options.root !== '/' && !existsSync(byId))) return noDisks();
  return { ...machineDisks(options), backups: takeBackups({ ...options, byId }) };
}
