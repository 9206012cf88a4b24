import { askSystemd } from './systemd.ts';
import { passedOn } from './passed-on.ts';

/** What a service manager hears from the agent (sd_notify(3)). */
export interface ServiceManager {
  /** The agent is up, and from now on says so again and again until the signal is aborted. */
  ready(signal: AbortSignal): Promise<void>;
}

/**
 * Node has no datagram sockets of the kind that `NOTIFY_SOCKET` is, so systemd-notify(1) speaks in the agent's name; a
 * timer of the event loop asks for it, so that one which stands still falls silent. Without a manager that listens it
 * does nothing.
 */
export function serviceManager(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): ServiceManager {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return { ready: () => Promise.resolve() };
  const plain = { ...passedOn(env), NOTIFY_SOCKET: socket };
  const say = async (word: string): Promise<void> => {
    await askSystemd('systemd-notify', [`--pid=${pid}`, word], plain);
  };
  return {
    async ready(signal) {
      await say('READY=1');
      const micros = Number(env['WATCHDOG_USEC'] ?? '0');
      if (!(micros > 0)) return;
      // Twice in the time within which one word is due (sd_watchdog_enabled(3)); three, for a machine that is busy.
      const timer = setInterval(() => void say('WATCHDOG=1'), micros / 3000);
      timer.unref();
      signal.addEventListener('abort', () => {
        clearInterval(timer);
      });
    },
  };
}
