import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Disks } from '../../disk-ports.ts';
import type { DisksOptions } from './disks.ts';
import { noDisks } from './none.ts';

/**
 * The disks of a host. Below another root only where some are named (`dev/disk/by-id`): the machine's are its own host's
 * business. An agent that is not root can look at none. What
 * looks is loaded only then.
 */
export async function disksHere(options: DisksOptions): Promise<Disks> {
  const byId = join(options.root, 'dev/disk/by-id');
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot || (options.root !== '/' && !existsSync(byId))) return noDisks();
  const [{ machineDisks }, { takeBackups }] = await Promise.all([
    import('./disks.ts'),
    import('./backups.ts'),
  ]);
  return { ...machineDisks(options), backups: takeBackups({ ...options, byId }) };
}
