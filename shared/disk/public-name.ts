import { createHash } from 'node:crypto';

export interface PublicName {
  readonly name: string;
  /** The disk whose table it is, by a name that has its serial number in it. */
  readonly of?: string;
}

const ofDisk = 'table-';

/**
 * What a backup is called in the state branch, where everybody who has a clone sees names: serial numbers are only in the
 * ledger. The same disk has the same name always.
 */
export function publicName(name: string, fleet: string): PublicName {
  if (!name.startsWith(ofDisk)) return { name };
  const of = name.slice(ofDisk.length);
  const digest = createHash('sha256').update(`${fleet}\0${of}`).digest('hex');
  return { name: `${ofDisk}${digest.slice(0, 12)}`, of };
}
