import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { cgroupsOf, removeCgroup } from './cgroup.ts';
import { copyDisk, cutPower, isAttached, makeDisk } from './disk.ts';
import type { Plug } from './network.ts';
import { run, type RanProgram } from './run.ts';
import { type Suite, treeOf } from './rootfs.ts';

/**
 * A Debian machine with systemd in a container: what it writes stays its own, and it sees only its loopback and what
 * it is plugged into.
 */
export interface Machine {
  readonly name: string;
  /** Boots it, with the disk that an earlier run left; ready when it returns. */
  boot(): Promise<void>;
  /**
   * Runs a program on the machine as its systemd does, with no more rights than a service there has.
   * @param settings of the service, such as `--unit=NAME` or `--property=KillMode=mixed`
   */
  run(args: readonly string[], options?: MachineRun): Promise<RanProgram>;
  /** The same, where it must succeed: its standard output, trimmed. */
  must(args: readonly string[], options?: MachineRun): Promise<string>;
  /** Writes a file, and its folder where it is missing. */
  put(path: string, content: string, mode?: string): Promise<void>;
  /** Shuts it down in good order. */
  poweroff(): Promise<void>;
  /** The same, and boots it again. */
  reboot(): Promise<void>;
  /** Waits until it shuts itself down in order to reboot, for so many milliseconds, and boots it then. */
  comesBack(within?: number): Promise<void>;
  /** Stops it at once, and what was not synced is lost. It must have a disk of its own. */
  powerCut(): Promise<void>;
  /** The file that is its disk, if it has one. */
  readonly image: string;
  /** Stops it at once. What it wrote is kept as the kernel has it: a crash, not a power cut. */
  kill(): Promise<void>;
  /** Ends it and leaves nothing of it behind, whatever state it is in. */
  remove(): Promise<void>;
}

export interface MachineRun {
  readonly settings?: readonly string[];
  readonly input?: string;
}

export interface MachineOptions {
  readonly suite?: Suite;
  readonly name?: string;
  /** Files and folders of this machine that it sees: from here, to there. */
  readonly shows?: Readonly<Record<string, { readonly to: string; readonly writable?: boolean }>>;
  readonly plug?: Plug;
  /** A disk of its own: one that is new, or one that is like another machine's. Without, it cannot lose its power. */
  readonly disk?: { readonly megabytes: number } | { readonly copyOf: string };
}

/** Milliseconds; a boot takes half a second. */
const patience = 120_000;
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Not booted yet. Needs `nspawn` and the suite's tree. */
export function makeMachine({
  suite = 'trixie',
  name = 'host',
  shows = {},
  plug,
  disk,
}: MachineOptions = {}): Machine {
  const dir = mkdtempSync(join(tmpdir(), 'autark-machine-'));
  const cgroups = cgroupsOf(`autark-test-${randomBytes(6).toString('hex')}`);
  const image = join(dir, 'image');
  const volume = join(dir, 'volume');
  for (const folder of ['root', 'volume/work', 'volume/up/etc'])
    mkdirSync(join(dir, folder), { recursive: true });
  writeFileSync(join(volume, 'up/etc/hostname'), `${name}\n`);
  writeFileSync(join(volume, 'up/etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  const binds = Object.entries(shows).map(
    ([from, { to, writable = false }]) => `--bind${writable ? '' : '-ro'}=${from}:${to}`,
  );
  let running: Running | undefined;

  const inside = (args: readonly string[], input?: string): Promise<RanProgram> => {
    if (running === undefined) throw new Error(`${name} is not running`);
    const call = ['--target', String(running.leader), '--all', '--', ...args];
    return run('nsenter', call, { env: { PATH: path }, ...(input === undefined ? {} : { input }) });
  };
  // Never the program itself by nsenter: it would keep all capabilities of this machine's root.
  const runInside: Machine['run'] = (args, { settings = [], input } = {}) => {
    const service = ['--quiet', '--wait', '--pipe', '--collect', '--expand-environment=no', ...settings];
    return inside(['systemd-run', ...service, '--', ...args], input);
  };
  const must: Machine['must'] = async (args, options) => {
    const { code, stdout, stderr } = await runInside(args, options);
    if (code !== 0) throw new Error(`${name}: ${args.join(' ')}: exit ${String(code)}\n${stderr}${stdout}`);
    return stdout.trimEnd();
  };
  const end = async (signal: string): Promise<void> => {
    // One that ended by itself has no process any more, and its number may be somebody else's.
    if (running?.isOver() === false)
      await run('kill', ['-s', signal, String(running.leader)], { env: { PATH: path } });
    await running?.ended;
    running = undefined;
    if (disk !== undefined) await vi.waitUntil(async () => !(await isAttached(image)), { timeout: patience });
  };
  const boot = async (): Promise<void> => {
    if (disk !== undefined && !existsSync(image))
      await ('copyOf' in disk ? copyDisk(disk.copyOf, image) : makeDisk(image, volume, disk.megabytes));
    const options = [`--machine=${name}`, ...binds];
    running = await start({ dir, tree: treeOf(suite), cgroups, hasDisk: disk !== undefined }, options);
    await plug?.attach(running.leader);
    // `degraded` will do, and ends with 1: not each unit of Debian works in a container.
    const state = await inside(['systemctl', 'is-system-running', '--wait']);
    if (!/running|degraded/.test(state.stdout)) throw new Error(`${name} did not boot: ${state.stdout}`);
  };

  return {
    ...{ name, image, boot },
    run: runInside,
    must,
    async put(file, content, mode = '0644') {
      const script = 'mkdir -p "${1%/*}" && cat >"$1" && chmod "$2" "$1"';
      await must(['sh', '-c', script, 'put', file, mode], { input: content });
    },
    // systemd(1): starts poweroff.target.
    poweroff: () => end('RTMIN+4'),
    async reboot() {
      await end('RTMIN+5');
      await boot();
    },
    async comesBack(within = patience) {
      await vi.waitUntil(() => running?.isOver() !== false, { timeout: within, interval: 100 });
      await end('KILL');
      await boot();
    },
    kill: () => end('KILL'),
    async powerCut() {
      if (running === undefined || disk === undefined) throw new Error(`${name} has no power to cut`);
      await cutPower(running.pid, volume, running.leader);
      await end('KILL');
    },
    async remove() {
      await end('KILL');
      for (const cgroup of cgroups) removeCgroup(cgroup);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

interface Running {
  /** Its process 1, as this machine numbers it. */
  readonly leader: number;
  /** The outermost of it: it sees the mounts that the machine is made of. */
  readonly pid: number;
  readonly ended: Promise<void>;
  isOver(): boolean;
}

interface Place {
  readonly dir: string;
  readonly tree: string;
  readonly cgroups: readonly string[];
  readonly hasDisk: boolean;
}

/**
 * All mounts and processes are in namespaces that end with the container, and it ends with this process: a container
 * does not when its systemd-nspawn alone is killed.
 */
async function start({ dir, tree, cgroups, hasDisk }: Place, options: readonly string[]): Promise<Running> {
  const script = [
    'set -eu',
    'dir=$1 tree=$2 cgroups=$3',
    'shift 3',
    // The kernel's own wish to write, in seconds: a power cut shall find as much unwritten as can be.
    ...(hasDisk ? ['mount -o loop,commit=300 "$dir/image" "$dir/volume"'] : []),
    'own="upperdir=$dir/volume/up,workdir=$dir/volume/work"',
    'mount -t overlay overlay -o "lowerdir=$tree,$own" "$dir/root"',
    'for cgroup in $cgroups; do mkdir -p "$cgroup"; echo $$ >"$cgroup/cgroup.procs"; done',
    'exec systemd-nspawn --quiet --directory="$dir/root" "$@"',
  ].join('\n');
  const call = [
    ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
    ...['--pid', '--fork', '--kill-child=KILL', '--mount-proc'],
    ...['sh', '-c', script, 'machine', dir, tree, cgroups.join(' ')],
    ...['--boot', '--register=no', '--keep-unit', '--private-network', '--console=pipe'],
    // Syncing only takes time where no power is cut.
    ...(hasDisk ? [] : ['--suppress-sync=yes']),
    // With the capability, a container can open this machine's disks.
    ...['--drop-capability=CAP_MKNOD', ...options],
  ];
  const log = openSync(join(dir, 'console'), 'a');
  const env = {
    PATH: path,
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
    SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network',
  };
  const child = spawn('setpriv', call, { env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      isOver = true;
      resolve();
    });
  });
  const isEnded = (): boolean => isOver;
  const leader = await vi
    .waitUntil(() => (isEnded() ? 'none' : leaderOf(child.pid ?? 0)), { timeout: patience, interval: 10 })
    .catch(() => 'none' as const);
  if (typeof leader === 'number') return { leader, pid: child.pid ?? 0, ended, isOver: isEnded };
  child.kill('SIGKILL');
  await ended;
  throw new Error(`the container did not start:\n${readFileSync(join(dir, 'console'), 'utf8').slice(-4000)}`);
}

/** systemd, which is the one child of what is our child's one child, once it can be asked; `null` before. */
function leaderOf(child: number): number | null {
  try {
    const nspawn = childrenOf(child)[0];
    if (nspawn === undefined) return null;
    // Three numbers: here, in the namespace around systemd-nspawn, and in the container's own.
    const leader = childrenOf(nspawn).find((pid) =>
      /^NSpid:\t\d+\t\d+\t1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')),
    );
    if (leader === undefined) return null;
    return existsSync(`/proc/${leader}/root/run/systemd/private`) ? leader : null;
  } catch {
    return null;
  }
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}
