import { readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { namesIn } from '../durable.ts';
import { errorCode } from '../file-failure.ts';

/**
 * Where a host keeps and shows its secrets. Below `run`:
 *
 *     secrets         -> secrets.d/N     what is placed; swapped by one rename(2)
 *     secrets.d/N/NAME                   a value
 *     secrets.d/N.about/                 root's alone; systemd/autark-secret reads it too
 *         id, digests                    which set it is; `NAME DIGEST` a line
 *         stamps                         by which a file that is not as it was written is noticed
 *         units                          which ones it names, as lines of secrets.tell
 *         NAME.why                       why it has no value of its own revision
 *         NAME.own                       `OWNER GROUP MODE`, until the owner exists
 *         NAME.path                      the path that is to lead to it
 *         swapped                        microseconds since boot (CLOCK_MONOTONIC), after the swap
 *         done                           nothing is left to do for this set
 *     secrets.tell                       units that have yet to be told
 *     secrets.none                       that no secret was there, in this boot
 */
export interface Layout {
  readonly root: string;
  /** `var/lib/autark/secrets`: sealed sets, and `paths.json`. */
  readonly kept: string;
  readonly digestKey: string;
  readonly run: string;
  readonly link: string;
  readonly store: string;
  readonly tell: string;
  readonly none: string;
}

export function layoutOf(root: string, state: string, run: string): Layout {
  return {
    ...{ root, kept: join(state, 'secrets'), digestKey: join(state, 'digest-key'), run },
    link: join(run, 'secrets'),
    store: join(run, 'secrets.d'),
    tell: join(run, 'secrets.tell'),
    none: join(run, 'secrets.none'),
  };
}

export function aboutOf(layout: Layout, number: number): string {
  return join(layout.store, `${number}.about`);
}

/** The number of the set that is placed; `null` when there is none. Throws the system's other errors. */
export async function placedNumber(layout: Layout): Promise<number | null> {
  try {
    const number = Number(basename(await readlink(layout.link)));
    return Number.isSafeInteger(number) && (await namesIn(layout.store)).includes(String(number))
      ? number
      : null;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
