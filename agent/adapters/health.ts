import { existsSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { ok } from '../../shared/failure.ts';
import type { Check, Sight } from '../../shared/health/check.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Health, HealthPlace } from '../health-ports.ts';
import type { Bounds, Order, Programs, Ran } from '../ports.ts';
import { endingText } from './process/ending.ts';

export interface HealthOptions {
  /** `/`, or the folder of `--root`. */
  readonly root: string;
  /** Where `systemctl` is looked for. */
  readonly searchPath: string;
  readonly programs: Programs;
  /** Where this shows that systemd runs the machine (sd_booted(3)); another folder in tests. */
  readonly systemd?: string;
}

/** Bytes that a command may print. */
const outputCap = 2 ** 20;

/** Milliseconds in which systemd has to answer. */
const patience = 10_000;

/** The machine's health, as seen from the machine itself. */
export function machineHealth(options: HealthOptions): Health {
  const { root, programs, systemd = '/run/systemd/system' } = options;
  const systemctl = (args: readonly string[], bounds: Bounds): Promise<Ran> =>
    programs.run(
      plainOrder('systemctl', args, { cwd: '/', env: { PATH: options.searchPath, LC_ALL: 'C' } }),
      bounds,
    );
  const isSystemds = root === '/' && existsSync(systemd);
  const isStarting = async (): Promise<boolean> => {
    if (!isSystemds) return false;
    const jobs = ['list-jobs', '--plain', '--no-legend', '--full', '--no-pager'];
    const { stdout = '' } = await systemctl(jobs, { timeout: patience, signal: never() });
    return stdout.split('\n').some(isAnothers);
  };
  const unitsIn = async (states: string): Promise<readonly string[] | null> => {
    if (!isSystemds) return null;
    const args = ['list-units', `--state=${states}`, '--plain', '--no-legend', '--full', '--no-pager'];
    const { ending, stdout } = await systemctl(args, { timeout: patience, signal: never() });
    if (ending.how !== 'exited' || ending.code !== 0 || stdout === undefined) return null;
    const names = stdout.split('\n').map((line) => line.trim().split(/\s+/)[0] ?? '');
    return names.filter((name) => name !== '').sort();
  };
  return {
    look(check, place, bounds) {
      switch (check.kind) {
        case 'http':
          return lookAtHttp(check, bounds);
        case 'tcp':
          return lookAtTcp(check, bounds);
        case 'unit':
          return lookAtUnit(check, bounds, systemctl);
        case 'command':
          return lookByCommand(check, place, bounds, programs);
      }
    },
    failedUnits: () => unitsIn('failed'),
    // systemd.service(5): between two tries by `Restart=` a service is `activating`, as it is in its first one.
    unwellUnits: () => unitsIn('failed,activating'),
    async started({ timeout, signal }) {
      const end = performance.now() + timeout;
      while (performance.now() < end && !signal.aborted && (await isStarting())) {
        await pause({ timeout: 1000, signal });
      }
    },
    pause,
  };
}

/** The agent's own start may be a job itself (`agent --once` by its timer); it must not wait for that. */
function isAnothers(line: string): boolean {
  const [, unit = ''] = line.trim().split(/\s+/);
  return unit !== '' && !unit.startsWith('autark');
}

async function pause({ timeout, signal }: Bounds): Promise<void> {
  // Rejects only when it is ended sooner.
  await wait(timeout, undefined, { signal }).catch(() => undefined);
}

function never(): AbortSignal {
  return new AbortController().signal;
}

function plainOrder(file: string, args: readonly string[], { cwd, env }: Pick<Order, 'cwd' | 'env'>): Order {
  const onStart = () => Promise.resolve(ok(undefined));
  return { file, args, cwd, env, outputCap, leftovers: 'end', onStart, onLine: () => undefined };
}

const good: Sight = { good: true, seen: 'is good' };

function bad(seen: string): Sight {
  return { good: false, seen };
}

function tooLate(timeout: number): Sight {
  return bad(`did not answer within ${timeout / 1000} s`);
}

/** Only the status counts: no redirect is followed, and no body is read. */
function lookAtHttp({ target }: Check, bounds: Bounds): Promise<Sight> {
  return within(bounds, (signal) => {
    const request = target.startsWith('https:') ? requestHttps : requestHttp;
    return new Promise((resolve, reject) => {
      const asked = request(target, { signal, agent: false }, (response) => {
        const status = response.statusCode ?? 0;
        response.destroy();
        resolve(status >= 200 && status < 400 ? good : bad(`answered with status ${status}`));
      });
      asked.on('error', reject);
      asked.end();
    });
  });
}

function lookAtTcp({ target }: Check, bounds: Bounds): Promise<Sight> {
  const colon = target.lastIndexOf(':');
  const host = target.slice(0, colon).replace(/^\[|\]$/g, '');
  return within(bounds, (signal) => {
    const socket = connect({ host, port: Number(target.slice(colon + 1)), signal });
    return new Promise<Sight>((resolve, reject) => {
      socket.once('connect', () => {
        resolve(good);
      });
      socket.on('error', reject);
    }).finally(() => {
      socket.destroy();
    });
  });
}

/** Whatever is thrown is an answer too: it did not work. */
async function within(
  { timeout, signal }: Bounds,
  ask: (signal: AbortSignal) => Promise<Sight>,
): Promise<Sight> {
  const deadline = AbortSignal.timeout(timeout);
  try {
    return await ask(AbortSignal.any([deadline, signal]));
  } catch (error) {
    if (deadline.aborted) return tooLate(timeout);
    return bad(`cannot be reached: ${oneLine(error instanceof Error ? error.message : String(error))}`);
  }
}

async function lookAtUnit(
  { target, timeout }: Check,
  bounds: Bounds,
  systemctl: (args: readonly string[], bounds: Bounds) => Promise<Ran>,
): Promise<Sight> {
  const args = ['show', '--property=ActiveState', '--value', '--', target];
  const { ending, stdout = '' } = await systemctl(args, bounds);
  if (ending.how !== 'exited') return bad(endingText(ending, timeout));
  const state = oneLine(stdout.trim()) || 'unknown';
  return state === 'active' ? good : bad(`is ${state}`);
}

async function lookByCommand(
  { target, timeout }: Check,
  { tree, env }: HealthPlace,
  bounds: Bounds,
  programs: Programs,
): Promise<Sight> {
  if (tree === null) return bad('cannot be run, for the tree of its revision cannot be read or written');
  const { onLine: _, ...order } = plainOrder(`${tree}/${target}`, [], { cwd: tree, env });
  const { ending, tail } = await programs.run(order, bounds);
  if (ending.how === 'exited' && ending.code === 0) return good;
  const seen = endingText(ending, timeout);
  return tail === '' ? bad(seen) : { ...bad(seen), detail: tail };
}
