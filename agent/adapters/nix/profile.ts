import { mkdir, readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import type { Bounds } from '../../ports.ts';
import { fileFailure } from '../file-failure.ts';
import { replaceLink } from '../generations.ts';
import { flush } from '../seal.ts';
import { exitOf, wordsOf, type NixCommand } from './command.ts';

export interface ProfilePlace {
  /** Absolute: `/nix/var/nix/profiles/system`. */
  readonly profile: string;
  /** Where `sync` is looked for: a `PATH`. */
  readonly searchPath: string;
  readonly run: NixCommand;
}

/**
 * Makes a system the one that the profile names, and brings that to disk. A system that the profile has already gets
 * no second number, so that going back leaves no copies in the boot menu; and it needs no Nix, just the link that
 * `nix-env --switch-generation` would make, for what is gone back from may have broken Nix or its daemon.
 */
export async function setProfile(
  { profile, searchPath, run }: ProfilePlace,
  path: string,
  bounds: Bounds,
): Promise<Result<void>> {
  try {
    await mkdir(dirname(profile), { recursive: true });
    const number = await numberOf(profile, path);
    if (number !== null) {
      await replaceLink(profile, `${basename(profile)}-${number}-link`);
      return ok(undefined);
    }
    const ran = await run('nix-env', ['--profile', profile, '--set', path], bounds);
    if (exitOf(ran) !== 0) return fail(notSet(profile, path, wordsOf(ran)));
    return await flush(dirname(profile), searchPath);
  } catch (error) {
    return fail(fileFailure(error, 'set the system profile', profile));
  }
}

/** The highest number under which a profile has a path: links `NAME-NUMBER-link` beside it (Nix manual, "Profiles"). */
async function numberOf(profile: string, path: string): Promise<number | null> {
  const name = basename(profile);
  const numbers = (await readdir(dirname(profile))).flatMap((entry) => {
    const number = /^-([1-9]\d*)-link$/.exec(entry.startsWith(name) ? entry.slice(name.length) : '')?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  for (const number of numbers.sort((a, b) => b - a)) {
    const target = await readlink(join(dirname(profile), `${name}-${number}-link`)).catch(() => null);
    if (target === path) return number;
  }
  return null;
}

function notSet(profile: string, path: string, said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the system profile could not be set to ${path}: ${said}`,
    where: profile,
    remedy:
      'look at the Nix store and its daemon (nix store verify, systemctl status nix-daemon); the agent tries again by itself',
  };
}
