import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { vi } from 'vitest';
import { buildScript, execHost } from './exec-system.ts';
import type { FleetHost } from './fleet.ts';
import { patience } from './patience.ts';
import type { FileChange } from './world.ts';

/**
 * The usual exec host whose build or activation waits until it is released, with a child of its own; meanwhile it
 * writes heartbeats into its directory.
 */
export function hangingBuild(host: string, motd: string): Record<string, FileChange> {
  const waiting = waitingLines('build', '"$out/heartbeat"');
  const [first, ...rest] = buildScript.split('set -eu\n');
  return {
    ...execHost(host, motd),
    [`hosts/${host}/build`]: { executable: [first, waiting, ...rest].join('set -eu\n') },
  };
}

/** Its activation first shows the motd, then waits. */
export function hangingSwitch(host: string, motd: string): Record<string, FileChange> {
  const waiting = waitingLines('switch', '/dev/null');
  const executable = buildScript.replace('\nEND\n', () => `\n${waiting}END\n`);
  return { ...execHost(host, motd), [`hosts/${host}/build`]: { executable } };
}

function waitingLines(name: string, heartbeat: string): string {
  return [
    'sleep 1000 &',
    `echo "$$ $! \${out:-}" >>"$AUTARK_ROOT/${name}-began"`,
    `while [ ! -e "$AUTARK_ROOT/${name}-released" ]; do date +%s%N >${heartbeat}; sleep 0.02; done`,
    'kill $!',
    '',
  ].join('\n');
}

export interface Began {
  /** The program itself and its child. */
  readonly pids: readonly number[];
  /** A build's directory; empty for an activation. */
  readonly out: string;
}

/** All that began so far, oldest first. */
export function begun(host: FleetHost, name: 'build' | 'switch'): readonly Began[] {
  const file = host.path(`${name}-began`);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => {
    const [pid = '', child = '', out = ''] = line.split(' ');
    return { pids: [Number(pid), Number(child)], out };
  });
}

/** Waits until so many began; the newest of them. */
export async function hasBegun(host: FleetHost, name: 'build' | 'switch', count = 1): Promise<Began> {
  return vi.waitFor(() => {
    const last = begun(host, name)[count - 1];
    if (last === undefined) throw new Error(`no ${name} number ${count} began`);
    return last;
  }, patience);
}

export function release(host: FleetHost, name: 'build' | 'switch'): void {
  writeFileSync(host.path(`${name}-released`), '');
}

export function forget(host: FleetHost): void {
  for (const name of ['build', 'switch'])
    for (const what of ['began', 'released']) rmSync(host.path(`${name}-${what}`), { force: true });
}
