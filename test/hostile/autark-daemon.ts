import { setTimeout as pause } from 'node:timers/promises';
import { type Logged, startDaemon } from '../rig/daemon.ts';
import type { FleetHost } from '../rig/fleet.ts';
import type { World } from '../rig/world.ts';
import { says } from './autark-words.ts';
import type { Daemon } from './subject.ts';

/** Milliseconds; far more than anything takes, and short of a test's own end. */
const patience = 90_000;

/** `autark agent`, judged by its log. */
export function startAutark(world: World, host: FleetHost, cwd: string): Daemon {
  const daemon = startDaemon(world, host, { cwd });
  let isOver = false;
  const ended = daemon.ended.then((end) => {
    isOver = true;
    return end;
  });

  const said = (since: number): string =>
    daemon.events
      .slice(since)
      .filter(({ event }) => event !== 'idle')
      .map(textOf)
      .join('\n');

  /** The log is looked at again and again: whoever waits may have begun to after it was said. */
  async function found(since: number, isWanted: (event: Logged) => boolean, what: string): Promise<string> {
    const deadline = Date.now() + patience;
    for (;;) {
      const events = daemon.events.slice(since);
      if (events.some(isWanted)) return events.map(textOf).join('\n');
      if (isOver || Date.now() > deadline) {
        throw new Error(`the agent never said ${what}, but\n${said(since)}`);
      }
      await pause(20);
    }
  }

  return {
    mark: () => daemon.events.length,
    said,
    refuses(cause, since) {
      const { code, words } = says[cause];
      const isIt = (event: Logged): boolean =>
        event.event === 'failure' && event.code === code && words.test(textOf(event));
      return found(since, isIt, `${cause} (${code})`);
    },
    says: (words, since) => found(since, (event) => words.test(textOf(event)), String(words)),
    async delivers(since) {
      await found(since, ({ event }) => event === 'delivered', 'that its records were delivered');
    },
    // docs/contract.md: it polls on SIGHUP.
    nudge() {
      daemon.signal('SIGHUP');
    },
    async stop() {
      daemon.signal('SIGTERM');
      return (await ended).code;
    },
    kill: () => daemon.kill(),
  };
}

/** All that a line says, details included. */
function textOf(event: Logged): string {
  return Object.values(event)
    .filter((value) => typeof value === 'string' || typeof value === 'number')
    .join(' ');
}
