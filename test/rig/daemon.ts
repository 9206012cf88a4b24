import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FleetHost } from './fleet.ts';
import { patience } from './patience.ts';
import { program, type World } from './world.ts';

/** One line of the agent's log as JSON. */
export interface Logged {
  readonly event: string;
  readonly message: string;
  readonly host: string;
  readonly revision?: string;
  readonly level: string;
  readonly stage?: string;
  readonly code?: number;
  readonly record?: string;
  readonly seq?: number;
  readonly by?: string;
}

export type Wanted = Partial<Logged>;

export interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
}

/** `autark agent` as a process of its own, with what it logged so far. */
export interface Daemon {
  readonly pid: number;
  readonly events: readonly Logged[];
  /**
   * The first event like this one after those that were waited for before: waiting goes forward through the log.
   * A failure when the daemon ends, or says nothing of the kind for as long as a test waits.
   */
  next(wanted: Wanted): Promise<Logged>;
  /** The first event like this one after everything that is logged now. */
  after<Value>(act: () => Promise<Value> | Value, wanted: Wanted): Promise<Logged>;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Ends it by SIGKILL if it still runs. */
  kill(): Promise<void>;
}

export interface DaemonOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly cwd?: string;
}

export function startDaemon({ env }: World, { root }: FleetHost, options: DaemonOptions = {}): Daemon {
  const call = [program, 'agent', '--root', root, ...(options.args ?? [])];
  const child = spawn(process.execPath, call, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...env, AUTARK_DEBUG: '1', JOURNAL_STREAM: '1:1', ...options.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const events: Logged[] = [];
  const other: string[] = [];
  const listeners = new Set<() => void>();
  const tell = (): void => {
    for (const listener of [...listeners]) listener();
  };
  let over: Ended | undefined;
  let seen = 0;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith('{')) events.push(JSON.parse(line) as Logged);
    else other.push(line);
    tell();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => {
      over = { code, signal };
      resolve(over);
      tell();
    });
  });
  const report = (wanted: Wanted): string =>
    [`waited for ${JSON.stringify(wanted)} from event ${seen} on`, ...events.map(brief), ...other].join(
      '\n  ',
    );

  const next = (wanted: Wanted): Promise<Logged> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        listeners.delete(look);
        act();
      };
      const look = (): void => {
        const index = events.findIndex((event, at) => at >= seen && isLike(event, wanted));
        const found = events[index];
        if (found !== undefined) {
          seen = index + 1;
          settle(() => {
            resolve(found);
          });
        } else if (over !== undefined) {
          settle(() => {
            reject(new Error(`the daemon ended (${JSON.stringify(over)}): ${report(wanted)}`));
          });
        }
      };
      const timer = setTimeout(() => {
        settle(() => {
          reject(new Error(report(wanted)));
        });
      }, patience.timeout);
      listeners.add(look);
      look();
    });

  return {
    pid: child.pid ?? 0,
    events,
    next,
    async after(act, wanted) {
      seen = events.length;
      await act();
      return next(wanted);
    },
    signal(name) {
      child.kill(name);
    },
    ended,
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function isLike(event: Logged, wanted: Wanted): boolean {
  return Object.entries(wanted).every(([key, value]) => event[key as keyof Logged] === value);
}

function brief({ event, message }: Logged): string {
  return `${event}: ${message}`;
}
