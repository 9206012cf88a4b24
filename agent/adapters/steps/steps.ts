import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bounds, Ending } from '../../ports.ts';
import type { StepEnded, StepOrder, Steps } from '../../step-ports.ts';
import type { Left } from '../../unit-ports.ts';
import { followUnit, type FollowOptions } from '../activation/follow.ts';
import { fileFailure } from '../file-failure.ts';
import { passedOn } from '../passed-on.ts';
import { openPrograms } from '../process.ts';
import { askSystemd, unitOf } from '../systemd.ts';
import { writeScripts } from './launch.ts';
import { collect, empty, furnish, lend, memoryFor, outputOf, placeOf, roomAt, type Room } from './room.ts';
import { beginUnit } from './unit.ts';

export interface StepsOptions {
  /** `run/autark/steps`, absolute: in memory, of root alone; made when it is needed. */
  readonly folder: string;
  /** Where units leave how they ended, absolute. */
  readonly endings: string;
  /** The agent's own environment: where borrowed credentials come from (S19). */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly hasSystemd: boolean;
}

/** Bytes that a step may print before it counts as out of its mind; their end is kept. */
const outputCap = 64 * 2 ** 20;

/** Steps as units where systemd runs the machine, elsewhere as children of the agent. */
export function openSteps(options: StepsOptions): Steps {
  const { folder, endings, env, hasSystemd } = options;
  const around = { env: passedOn(env), hasSystemd };
  const follow = { folder: endings, env: around.env };
  const programs = openPrograms();
  const roomOf = async (name: string): Promise<Room> =>
    roomAt(hasSystemd ? folder : await placeOf(folder), name);
  return {
    async lacking(names) {
      const given = await credentialsOf(env, names);
      return names.filter((name) => !given.has(name));
    },

    async run(order, bounds) {
      const base = await memoryFor(folder, around);
      if (!base.ok) return unstartable(base.failure);
      const room = roomAt(base.value, order.name);
      try {
        await furnish(room, order);
        await writeScripts(room, order.file);
      } catch (error) {
        return unstartable(fileFailure(error, 'make a place for a step', room.path).cause);
      }
      const credentials = await credentialsOf(env, order.credentials);
      const lent: StepOrder = {
        ...order,
        // Only once it is noted: whoever finds the note clears the room.
        onStart: async (child) => {
          const noted = await order.onStart(child);
          return noted.ok ? lend(room, credentials) : noted;
        },
      };
      if (!hasSystemd) return endedIn(room, await runChild(programs, lent, room, bounds.timeout));
      const begun = await beginUnit(follow, lent, room, bounds);
      // A systemd that was too busy to answer may have started it all the same.
      const ending = await endOf(follow, order.name, bounds);
      const reason = begun.ok ? 'its unit is gone, and left no word of how it ended' : begun.failure;
      return whole(room, ending ?? { how: 'unstartable', reason });
    },

    async outcome({ name, child }, bounds) {
      if (!hasSystemd) {
        if (child !== undefined) await programs.endLeftover(child);
        return null;
      }
      const ending = await endOf(follow, name, bounds);
      return ending === null ? null : whole(await roomOf(name), ending);
    },

    clear: async () => empty(hasSystemd ? folder : await placeOf(folder)),
  };
}

/** Nothing of it runs any more once its time is over, whatever systemd made of that. */
async function endOf(follow: FollowOptions, name: string, bounds: Bounds): Promise<Ending | Left | null> {
  const ending = await followUnit(follow, name, bounds);
  if (ending?.how === 'timeout') {
    await askSystemd('systemctl', ['kill', '--signal=KILL', unitOf(name)], follow.env);
  }
  return ending;
}

/** A stop of the agent waits for it, whatever the signal: half a step is worse than a late stop. */
async function runChild(
  programs: ReturnType<typeof openPrograms>,
  order: StepOrder,
  room: Room,
  timeout: number,
): Promise<Ending> {
  const isApart = !order.reachesDevices && process.geteuid?.() === 0;
  const script = join(room.path, isApart ? 'apart' : 'become');
  const file = isApart ? 'unshare' : '/bin/sh';
  const args = isApart ? ['--mount', '--propagation', 'private', '/bin/sh', script] : [script];
  const { ending, tail } = await programs.run(
    {
      ...{ file, args, cwd: order.cwd, outputCap, leftovers: 'end' },
      env: { ...order.env, AUTARK_YIELD: room.yields, AUTARK_RESULTS: room.results },
      onStart: (child) => order.onStart(child),
    },
    { timeout, signal: new AbortController().signal },
  );
  await writeFile(room.output, tail, { mode: 0o600 });
  return ending;
}

async function whole(room: Room, ending: Ending | Left): Promise<StepEnded | Left> {
  return ending.how === 'left' ? ending : endedIn(room, ending);
}

/** One whose program was never reached did not run, whatever the launcher ended with. */
async function endedIn(room: Room, ending: Ending): Promise<StepEnded> {
  const output = await outputOf(room);
  const isBegun = await access(room.ready).then(
    () => true,
    () => false,
  );
  if (!isBegun && ending.how === 'exited') {
    return unstartable(`it could not be set apart from the machine: ${output.trim().slice(-300)}`);
  }
  return { how: 'ended', ending, output, ...(await collect(room)) };
}

function unstartable(reason: string): StepEnded {
  return {
    how: 'ended',
    ending: { how: 'unstartable', reason },
    output: '',
    yields: new Map(),
    unkept: null,
  };
}

/** From the environment of this run, or from what systemd gave it (systemd.exec(5), CREDENTIALS). */
async function credentialsOf(
  env: StepsOptions['env'],
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const name of names) {
    const value = env[name] ?? (await credentialFile(env['CREDENTIALS_DIRECTORY'], name));
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

async function credentialFile(folder: string | undefined, name: string): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  const read = await readFile(join(folder, name), 'utf8').catch(() => undefined);
  // As a shell takes what a program prints.
  return read?.replace(/\n+$/, '');
}
