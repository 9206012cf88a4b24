import { join } from 'node:path';
import { ok, type Result } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import { programPath } from '../../../shared/program-path.ts';
import type { Bounds, Ending, Ran } from '../../ports.ts';
import type { ActivationOrder, Activations, Left } from '../../unit-ports.ts';
import { makeFolder, namesIn, removeDurably } from '../durable.ts';
import { askSystemd, unitOf } from '../systemd.ts';
import { followUnit, stopping } from './follow.ts';
import { writeResult } from './result.ts';

export interface UnitActivationsOptions {
  /** `var/lib/autark/activation`, absolute: each unit writes how it ended there. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Keeps the machine from going to sleep, where there is a systemd-logind (systemd-inhibit(1)), and runs the program.
 * Whoever holds the lock ends with the unit, as all that it started. An activation need not sync what it wrote, so that
 * is done here, within its own time: once its generation counts as deployed, nobody would write it again. A program that
 * a signal ended is followed by the shell, so that systemd sees that too.
 */
const wholly = [
  'systemd-inhibit --what=sleep --mode=block --who=autark --why="switches this machine" sleep infinity ' +
    '</dev/null >/dev/null 2>&1 &',
  '"$0" "$@"',
  'code=$?',
  'sync -f / /etc /var /boot 2>/dev/null',
  // systemd makes one dollar of two (systemd.service(5)).
  'if [ "$code" -gt 128 ]; then kill -"$((code - 128))" $$$$; fi',
  'exit "$code"',
].join('\n');

/**
 * Activations as transient units (systemd-run(1)), outside the agent's own cgroup: a switch may restart the agent,
 * replace it, or outlive it. The unit itself writes how it ended, and whoever is the agent by then reads that. All
 * processes of an activation end with it: what shall go on is a unit of its own.
 */
export function unitActivations(options: UnitActivationsOptions): Activations {
  return {
    async run(order, bounds) {
      const begun = await begin(options, order, bounds);
      if (!begun.ok) return unstartable(begun.failure);
      return (
        (await follow(options, order.name, bounds)) ??
        unstartable('its unit is gone, and left no word of how it ended')
      );
    },
    outcome: ({ name }, bounds) => follow(options, name, bounds),
  };
}

function unstartable(reason: string): Ran {
  return { ending: { how: 'unstartable', reason: oneLine(reason) }, tail: '' };
}

async function begin(
  { folder, env }: UnitActivationsOptions,
  order: ActivationOrder,
  { timeout }: Bounds,
): Promise<Result<void, string>> {
  try {
    await makeFolder(folder, 0o700);
    for (const name of await namesIn(folder)) await removeDurably(join(folder, name));
  } catch (error) {
    return { ok: false, failure: error instanceof Error ? error.message : String(error) };
  }
  const noted = await order.onStart(undefined);
  if (!noted.ok) return { ok: false, failure: noted.failure.cause };
  const properties = {
    Description: `autark: activates ${order.file}`,
    Type: 'oneshot',
    // Exit codes that switch-to-configuration gives a meaning to: no unit that failed.
    SuccessExitStatus: '4 100',
    TimeoutStartSec: `${Math.ceil(timeout / 1000)}`,
    // Who does not end when asked is killed, while the agent has time to go back before the watchdog does.
    TimeoutStopSec: `${stopping / 1000}`,
    WorkingDirectory: order.cwd,
    // The prefix keeps systemd from replacing the variables: the shell does.
    ExecStopPost: `:/bin/sh -c '${writeResult}' ${join(folder, order.name)}`,
  };
  const call = [
    ...['--quiet', '--no-block', '--collect', `--unit=${unitOf(order.name)}`],
    ...Object.entries(properties).map(([name, value]) => `--property=${name}=${value}`),
    ...Object.entries({ PATH: programPath, ...order.env }).map(
      ([name, value]) => `--setenv=${name}=${value}`,
    ),
    ...['--', '/bin/sh', '-c', wholly, order.file, ...order.args],
  ];
  const started = await askSystemd('systemd-run', call, env);
  return started.ok ? ok(undefined) : started;
}

/** `null` when there is no such unit, and no word of how it ended in this boot. */
async function follow(
  options: UnitActivationsOptions,
  name: string,
  bounds: Bounds,
): Promise<Ran | Left | null> {
  const ending = await followUnit(options, name, bounds);
  return ending === null || ending.how === 'left' ? ending : withTail(ending, name, options.env);
}

/** What it said is in the journal; looked up only for one that did not end well. */
async function withTail(ending: Ending, name: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  if (ending.how === 'exited' && ending.code === 0) return { ending, tail: '' };
  await askSystemd('journalctl', ['--sync'], env);
  const call = ['--quiet', '--boot', '--output=cat', '--lines=40', `--unit=${unitOf(name)}`];
  const said = await askSystemd('journalctl', call, env);
  return { ending, tail: said.ok ? said.value : '' };
}
