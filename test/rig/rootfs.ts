import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** A release of Debian whose tree the script `rootfs` makes. */
export type Suite = 'trixie' | 'sid';

/** Any tree that it makes: `emulated` is one with a kernel. */
export type Tree = Suite | 'emulated';

/** Where its tree is. Tests only read it. */
export function treeOf(suite: Tree): string {
  return join(process.env['AUTARK_TEST_ROOTFS'] ?? '/var/cache/autark-test/rootfs', suite);
}

/** It appears when it is complete. */
export function hasTree(suite: Tree): boolean {
  return existsSync(treeOf(suite));
}
