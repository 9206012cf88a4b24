import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import type { Bounds } from '../../ports.ts';
import type { Fired, Watch, Watchdog } from '../../unit-ports.ts';
import { makeFolder, readIfThere, removeDurably, syncFolder, writeDurably } from '../durable.ts';
import { fileFailure } from '../file-failure.ts';
import { askSystemd, unitOf } from '../systemd.ts';
import { bootId } from '../proc.ts';
import { armedText } from './armed.ts';

export interface WatchdogOptions {
  /** `var/lib/autark/watchdog`, absolute. */
  readonly folder: string;
  /** The text of systemd/autark-go-back. */
  readonly script: string;
  /** Absolute: `/nix/var/nix/profiles/system`. */
  readonly profile: string;
  /** How the agent is called: absolute paths. */
  readonly program: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const name = 'watchdog';
const timer = 'autark-watchdog.timer';
/** Milliseconds between two looks at whether a going back has ended. */
const pause = 200;

/**
 * A transient timer that outlives the agent (systemd.timer(5); `OnActiveSec=` counts time awake), and three files:
 * `armed` as long as somebody must confirm, `fired` once the watchdog has the say, `result` once it went back. The
 * timer runs a copy of the script, so that a generation which replaces the agent's files does not change it.
 */
export function unitWatchdog(options: WatchdogOptions): Watchdog {
  const { folder, script, env } = options;
  const at = (file: string): string => join(folder, file);
  return {
    async arm(watch) {
      await askSystemd('systemctl', ['stop', timer], env);
      try {
        await makeFolder(folder, 0o700);
        for (const file of ['fired', 'result', 'boots']) await removeDurably(at(file));
        const copied = await writeDurably(at('go-back'), Buffer.from(script), 0o700);
        if (!copied.ok) return copied;
        const text = textFor(watch, options);
        const armed = await writeDurably(at('armed'), Buffer.from(text), 0o600);
        if (!armed.ok || watch.beginsAtBoot === true) return armed;
        return await startTimer(options, watch);
      } catch (error) {
        return fail(fileFailure(error, 'arm the watchdog', folder));
      }
    },
    async disarm(bounds) {
      try {
        const wasArmed = existsSync(at('armed'));
        // Whoever takes the file away has the say: if it is gone already, the watchdog was sooner.
        await removeDurably(at('armed'));
        if (wasArmed && !existsSync(at('fired'))) {
          await askSystemd('systemctl', ['stop', timer], env);
          await removeDurably(at('boots'));
          return ok(null);
        }
        return await whatFired(options, bounds);
      } catch (error) {
        return fail(fileFailure(error, 'disarm the watchdog', folder));
      }
    },
    async suspend(bounds) {
      await askSystemd('systemctl', ['stop', timer], env);
      return whatFired(options, bounds, 'armed');
    },
    fired: (bounds) => whatFired(options, bounds),
    async fireNow() {
      if (!existsSync(at('armed'))) return ok(false);
      await askSystemd('systemctl', ['stop', timer], env);
      try {
        await rename(at('armed'), at('fired'));
        await syncFolder(folder);
      } catch {
        // It was sooner.
        return ok(existsSync(at('fired')));
      }
      const started = await askSystemd('systemd-run', [...transient(env), ...call(folder, 'fired')], env);
      // Renamed and not begun, it counts as cut off: the agent goes back by itself.
      return ok(started.ok);
    },
    async clear() {
      try {
        for (const file of ['result', 'fired', 'boots']) await removeDurably(at(file));
        return ok(undefined);
      } catch (error) {
        return fail(fileFailure(error, 'clear the watchdog', folder));
      }
    },
  };
}

async function startTimer({ folder, env }: WatchdogOptions, { deadline }: Watch): Promise<Result<void>> {
  const started = await askSystemd(
    'systemd-run',
    [
      ...transient(env),
      ...[`--on-active=${Math.ceil(deadline / 1000)}`, '--timer-property=AccuracySec=1s'],
      ...call(folder, 'deadline'),
    ],
    env,
  );
  return started.ok ? ok(undefined) : fail(notArmed(started.failure));
}

function transient(env: Readonly<Record<string, string>>): readonly string[] {
  const path = `--setenv=PATH=${env['PATH'] ?? ''}`;
  return ['--quiet', '--collect', '--no-block', `--unit=autark-${name}`, '--property=Type=oneshot', path];
}

function call(folder: string, what: 'deadline' | 'fired'): readonly string[] {
  return ['--', '/bin/sh', join(folder, 'go-back'), what];
}

function textFor(watch: Watch, { profile, program, env }: WatchdogOptions): string {
  return armedText(watch, { profile, program, path: env['PATH'] ?? '', boot: bootId() });
}

function notArmed(said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the watchdog could not be armed, so nothing is activated: ${said}`,
    where: timer,
    remedy: `look with \`systemctl status ${timer}\`; the agent tries again by itself`,
  };
}

/**
 * @param isBegun with `armed` one may just have begun, and not have taken the say yet: only once it is at rest, it is
 * known that it does not
 */
async function whatFired(
  { folder, env }: WatchdogOptions,
  { timeout, signal }: Bounds,
  isBegun: 'fired' | 'armed' = 'fired',
): Promise<Result<Fired | null>> {
  const hasFired = (): boolean => existsSync(join(folder, 'fired'));
  if (isBegun === 'fired' && !hasFired()) return ok(null);
  for (let waited = 0; waited <= timeout; waited += pause) {
    const read = await readIfThere(join(folder, 'result'));
    if (!read.ok) return read;
    if (read.value !== null) return ok(wentBack(Buffer.from(read.value).toString('latin1')));
    if (!(await isGoingBack(env)) && !existsSync(join(folder, 'result'))) {
      return ok(hasFired() ? { how: 'interrupted' } : null);
    }
    if (signal.aborted) break;
    await sleep(pause, undefined, { signal }).catch(() => undefined);
  }
  return fail(busy);
}

/**
 * Not by `is-active`, which fails for a oneshot that runs: it is `activating`. One that was only asked to begin has a job,
 * and is `inactive` until systemd comes to it. No answer says nothing.
 */
async function isGoingBack(env: Readonly<Record<string, string>>): Promise<boolean> {
  const units = [unitOf(name), 'autark-recovery.service'];
  const states = await askSystemd('systemctl', ['show', '--property=ActiveState,Job', ...units], env);
  return !states.ok || /^(ActiveState=(activating|active|deactivating)|Job=[1-9]\d*)$/m.test(states.value);
}

function wentBack(text: string): Fired {
  const [first = '', boot = ''] = text.split('\n');
  const code = Number.parseInt(first, 10);
  return { how: 'back', code: Number.isNaN(code) ? 1 : code, boot };
}

const busy: Failure = {
  kind: 'locked',
  cause: 'the watchdog is taking this machine back, and has not ended yet',
  where: unitOf(name),
  remedy: `look with \`journalctl -u ${unitOf(name)}\`; the agent goes on when it has ended`,
};
