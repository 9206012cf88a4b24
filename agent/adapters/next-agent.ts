import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { NextAgent } from '../program-ports.ts';

export interface NextAgentOptions {
  /** The link to the current version, absolute. */
  readonly current: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The current version by the Node that runs this one. systemd starts a service of type `notify` again by itself
 * (systemd/autark.service, `Restart=always`), and says by `NOTIFY_SOCKET` that this is one (sd_notify(3)).
 */
export function nextAgent({ current, env }: NextAgentOptions): NextAgent {
  return {
    isBegunByManager: (env['NOTIFY_SOCKET'] ?? '') !== '',
    run(args, timeout, signal) {
      return new Promise((resolve) => {
        const child = spawn(process.execPath, [current, ...args], { stdio: 'inherit' });
        const end = (): void => {
          child.kill(signal.reason === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
        };
        const hangUp = (): void => {
          child.kill('SIGHUP');
        };
        const timer = timeout === null ? undefined : setTimeout(() => child.kill('SIGKILL'), timeout);
        const done = (code: number): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          process.off('SIGHUP', hangUp);
          resolve(code);
        };
        signal.addEventListener('abort', end);
        process.on('SIGHUP', hangUp);
        child.once('error', () => {
          done(1);
        });
        child.once('exit', (code, name) => {
          // As a shell says it (bash(1), EXIT STATUS).
          done(code ?? 128 + constants.signals[name ?? 'SIGKILL']);
        });
      });
    },
  };
}
