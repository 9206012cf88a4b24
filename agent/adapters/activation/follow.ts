import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bounds, Ending } from '../../ports.ts';
import type { Left } from '../../unit-ports.ts';
import { readIfThere } from '../durable.ts';
import { bootId } from '../proc.ts';
import { askSystemd, unitOf, type UnitState } from '../systemd.ts';
import { endingOf } from './result.ts';

export interface FollowOptions {
  /** Where each unit writes how it ended, absolute. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Milliseconds between two looks at whether a unit has ended, and that systemd may take beyond its timeout. */
const pause = 100;
const slack = 120_000;
/** Milliseconds that what runs of a unit has to end, once it was asked to; far less than the watchdog's margin. */
export const stopping = 20_000;

/** Waits for a transient unit: how it ended, by its own word; `null` when there is no such unit, and no word of this boot. */
export async function followUnit(
  { folder, env }: FollowOptions,
  name: string,
  { timeout, signal }: Bounds,
): Promise<Ending | Left | null> {
  const file = join(folder, name);
  const looks = Math.ceil((timeout + slack) / pause);
  for (let look = 0; look < looks; look += 1) {
    let ending = await endingIn(file);
    // Asking systemd costs a process each time, and the file tells nearly always.
    if (ending === null && look % 20 === 0 && !isThere(await stateOf(name, env))) {
      // It may have ended meanwhile; but the word that a boot before this one left never becomes another.
      ending = await endingIn(file);
      if (ending === null) return null;
    }
    if (ending !== null) return (await ends(name, env, signal)) ? ending : { how: 'left' };
    if (signal.aborted) return { how: 'left' };
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return { how: 'timeout' };
}

/**
 * Waits until nothing of a unit runs: it has its word before systemd ends what does not end when asked, and nobody may
 * work beside that. False when the agent is asked to stop meanwhile.
 */
async function ends(
  name: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  // Asked, killed, and given up: systemd is done with it then.
  const end = performance.now() + 2 * stopping + 5000;
  while (isThere(await stateOf(name, env)) && performance.now() < end) {
    if (signal.aborted) return false;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return true;
}

async function endingIn(file: string): Promise<Ending | null> {
  const read = await readIfThere(file);
  return read.ok && read.value !== null
    ? endingOf(Buffer.from(read.value).toString('latin1'), bootId())
    : null;
}

async function stateOf(name: string, env: Readonly<Record<string, string>>): Promise<UnitState | null> {
  const shown = await askSystemd('systemctl', ['show', '--property=ActiveState,Job', unitOf(name)], env);
  if (!shown.ok) return null;
  const { ActiveState = '', Job = '' } = Object.fromEntries(
    shown.value.split('\n').map((line) => line.split('=', 2)),
  ) as Record<string, string>;
  return { active: ActiveState, isQueued: Job !== '' && Job !== '0' };
}

/** A systemd that does not answer says nothing about the unit: it is waited for. */
function isThere(state: UnitState | null): boolean {
  return state === null || state.isQueued || (state.active !== 'inactive' && state.active !== 'failed');
}
