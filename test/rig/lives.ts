import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FleetHost } from './fleet.ts';

/** A machine's state folder as it was, to be put back: what restoring a snapshot of the machine does to autark. */
export interface Kept {
  restore(): void;
}

export function keepState(host: FleetHost, name: string): Kept {
  const state = host.path('var/lib/autark');
  const kept = `${host.root}.${name}`;
  copy(state, kept);
  return {
    restore: () => {
      copy(kept, state);
    },
  };
}

/** The other machine of two with one disk image: whose turn it is has the root, for paths are absolute. */
export function makeTwin(host: FleetHost): { turn(): void } {
  const state = host.path('var/lib/autark');
  const [other, aside] = [`${host.root}.twin`, `${host.root}.aside`];
  copy(state, other);
  return {
    turn: () => {
      renameSync(state, aside);
      renameSync(other, state);
      renameSync(aside, other);
    },
  };
}

function copy(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}

/** The state folder but for the keys: what a lost disk leaves of it when the key is kept elsewhere. */
export function loseAllButKeys(host: FleetHost): void {
  for (const name of host.state('.')) {
    if (!/^key(\.pub)?$/.test(name)) rmSync(join(host.path('var/lib/autark'), name), { recursive: true });
  }
}
