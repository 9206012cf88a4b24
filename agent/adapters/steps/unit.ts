import { join } from 'node:path';
import { ok, type Result } from '../../../shared/failure.ts';
import { makeFolder, removeDurably } from '../durable.ts';
import { askSystemd, unitOf } from '../systemd.ts';
import { stopping, type FollowOptions } from '../activation/follow.ts';
import { writeResult } from '../activation/result.ts';
import type { Bounds } from '../../ports.ts';
import type { StepOrder } from '../../step-ports.ts';
import { askable, takenAway } from './launch.ts';
import type { Room } from './room.ts';

/**
 * What a unit has that must not reach block devices (S16): systemd gives it a /dev without them, and a device policy that keeps
 * others closed; what could mount, make nodes or ask somebody else is taken away (systemd.exec(5)). What remains is what root
 * may do to files: it could change a unit that systemd starts later.
 */
const withoutDevices = {
  PrivateDevices: 'yes',
  CapabilityBoundingSet: `~${takenAway.map((name) => `CAP_${name.toUpperCase()}`).join(' ')}`,
  ProtectKernelModules: 'yes',
  ProtectKernelTunables: 'yes',
  ProtectControlGroups: 'yes',
  RestrictNamespaces: 'yes',
  SystemCallFilter: '~@mount @raw-io @module',
  SystemCallErrorNumber: 'EPERM',
  InaccessiblePaths: askable.map((path) => `-${path}`).join(' '),
};

/** Starts a step as a transient unit: it outlives the agent, and says itself how it ended. Its output goes to no journal. */
export async function beginUnit(
  { folder, env }: FollowOptions,
  order: StepOrder,
  room: Room,
  { timeout }: Bounds,
): Promise<Result<void, string>> {
  const word = join(folder, order.name);
  try {
    await makeFolder(folder, 0o700);
    await removeDurably(word);
  } catch (error) {
    return { ok: false, failure: error instanceof Error ? error.message : String(error) };
  }
  const noted = await order.onStart(undefined);
  if (!noted.ok) return { ok: false, failure: noted.failure.cause };
  const properties = {
    Description: 'autark: runs a step',
    Type: 'oneshot',
    TimeoutStartSec: `${Math.ceil(timeout / 1000)}`,
    TimeoutStopSec: `${stopping / 1000}`,
    WorkingDirectory: order.cwd,
    StandardInput: 'null',
    StandardOutput: 'null',
    StandardError: 'null',
    LimitCORE: '0',
    UMask: '0077',
    NoNewPrivileges: 'yes',
    PrivateTmp: 'yes',
    ...(order.reachesDevices ? {} : withoutDevices),
    // The prefix keeps systemd from replacing the variables: the shell does.
    ExecStopPost: `:/bin/sh -c '${writeResult}' ${word}`,
  };
  const given = { ...order.env, AUTARK_YIELD: room.yields, AUTARK_RESULTS: room.results };
  const call = [
    ...['--quiet', '--no-block', '--collect', `--unit=${unitOf(order.name)}`],
    ...Object.entries(properties).map(([name, value]) => `--property=${name}=${value}`),
    ...Object.entries(given).map(([name, value]) => `--setenv=${name}=${value}`),
    ...['--', '/bin/sh', join(room.path, 'kept')],
  ];
  const started = await askSystemd('systemd-run', call, env);
  return started.ok ? ok(undefined) : started;
}
