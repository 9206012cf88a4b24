import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { vi } from 'vitest';
import { patience } from './patience.ts';
import { must, run, type RanProgram } from './run.ts';

/** A network of a test's own: a bridge that machines are plugged into, in a namespace that ends with the test. */
export interface Network {
  /** What a program is started with to be in it; here is its first address. */
  readonly inside: readonly string[];
  readonly address: string;
  /** A place for a machine, with an address of its own. */
  plug(name: string): Plug;
  remove(): Promise<void>;
}

/** One machine's cable. */
export interface Plug {
  readonly address: string;
  /** Gives a machine that has just started its end; `leader` is its process 1. */
  attach(leader: number): Promise<void>;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
const netOf = (pid: number): string => `/proc/${pid}/ns/net`;
const inNet = (pid: number): string[] => ['nsenter', `--net=${netOf(pid)}`, '--'];

/** Needs root. It has no name and no mount: it is gone when its one process is, which ends with this one. */
export async function makeNetwork(): Promise<Network> {
  const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], {
    env,
    stdio: 'ignore',
  });
  const over = once(holder, 'close');
  const pid = holder.pid ?? 0;
  const remove = async (): Promise<void> => {
    holder.kill('SIGKILL');
    await over;
  };
  const inside = inNet(pid);
  const ip = (...args: readonly string[]): Promise<RanProgram> =>
    run('nsenter', [...inside.slice(1), 'ip', ...args], { env });
  const mustIp = (...args: readonly string[]): Promise<string> =>
    must('nsenter', [...inside.slice(1), 'ip', ...args], { env });
  const address = '10.99.0.1';
  try {
    await vi.waitUntil(() => isApart(pid), patience);
    await mustIp('link', 'set', 'lo', 'up');
    await mustIp('link', 'add', 'br0', 'type', 'bridge');
    await mustIp('address', 'add', `${address}/24`, 'dev', 'br0');
    await mustIp('link', 'set', 'br0', 'up');
  } catch (error) {
    await remove();
    throw error;
  }
  let plugs = 0;
  return {
    ...{ inside, address, remove },
    plug(name) {
      plugs += 1;
      const [own, port] = [`10.99.0.${10 + plugs}`, `p${plugs}-${name}`.slice(0, 15)];
      let isCut = false;
      const set = async (state: 'up' | 'down'): Promise<void> => {
        isCut = state === 'down';
        await mustIp('link', 'set', port, state);
      };
      return {
        address: own,
        async attach(leader) {
          // The one of the boot before: the kernel takes its time to remove it by itself.
          await ip('link', 'delete', port);
          const there = ['peer', 'name', 'host0', 'netns', String(leader)];
          await mustIp('link', 'add', port, 'type', 'veth', ...there);
          await mustIp('link', 'set', port, 'master', 'br0', isCut ? 'down' : 'up');
          const theirs = (...args: string[]): Promise<string> =>
            must('nsenter', [...inNet(leader).slice(1), 'ip', ...args], { env });
          await theirs('address', 'add', `${own}/24`, 'dev', 'host0');
          await theirs('link', 'set', 'host0', 'up');
        },
        cut: () => set('down'),
        mend: () => set('up'),
      };
    },
  };
}

function isApart(pid: number): boolean {
  try {
    return readlinkSync(netOf(pid)) !== readlinkSync('/proc/self/ns/net');
  } catch {
    return false;
  }
}
