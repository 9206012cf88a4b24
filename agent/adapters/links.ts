import { readlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Links } from '../drift-ports.ts';
import { errorCode } from './file-failure.ts';
import { bootId } from './proc.ts';

export interface LinksPlace {
  /** The NixOS system profile, absolute. */
  readonly profile: string;
  /** `/run/current-system`, or below `--root`. */
  readonly currentSystem: string;
  /** The agent's state folder, absolute. */
  readonly state: string;
}

/** The links as they are: nothing is followed into a system, which may be gone. */
export function machineLinks({ profile, currentSystem, state }: LinksPlace): Links {
  return {
    async look(generation) {
      const [boots, runs, current, system] = await Promise.all([
        throughNumbered(profile),
        targetOf(currentSystem),
        targetOf(join(state, 'current')),
        targetOf(join(state, 'generations', String(generation), 'system')),
      ]);
      return { boot: bootId(), leads: { profile: boots, 'current-system': runs, current }, system };
    },
  };
}

/** A profile leads to `NAME-NUMBER-link` beside it, and that to the system (Nix manual, "Profiles"). */
async function throughNumbered(profile: string): Promise<string | null> {
  const first = await targetOf(profile);
  if (first === null) return null;
  const numbered = resolve(dirname(profile), first);
  return readlink(numbered).catch((error: unknown) => (errorCode(error) === 'EINVAL' ? numbered : null));
}

function targetOf(link: string): Promise<string | null> {
  return readlink(link).catch(() => null);
}
