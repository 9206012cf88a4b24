import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeRoot, shellPort } from './emulated-root.ts';
import { treeOf } from './rootfs.ts';
import { must, type RanProgram } from './run.ts';
import { freePort } from './served.ts';

/** A disk of it, empty, which is `/dev/disk/by-id/virtio-SERIAL` there. */
export interface EmulatedDisk {
  /** At most 20 characters (VIRTIO_BLK_ID_BYTES). */
  readonly serial: string;
  readonly megabytes: number;
}

/** A Debian machine with a kernel, systemd, udev and disks of its own, emulated instruction by instruction. */
export interface Emulated {
  /** Boots it with the disks that an earlier run left; ready when it returns. */
  boot(): Promise<void>;
  /** Runs a script with bash, as root, in root's home; `input` is what a person types. */
  sh(script: string, input?: string): Promise<RanProgram>;
  /** The same, where it must succeed: its standard output, trimmed. */
  must(script: string, input?: string): Promise<string>;
  /** Ends it at once. What its kernel had not written to a disk is lost. */
  powerCut(): Promise<void>;
  /** Ends it and leaves nothing of it behind, whatever state it is in. */
  remove(): Promise<void>;
}

interface Running {
  /** Where its shell is, on the loopback interface. */
  readonly port: number;
  isOver(): boolean;
  end(): Promise<void>;
}

/** Milliseconds; a boot takes about fifteen seconds. */
const patience = 180_000;
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What the machine finds the loopback interface of this one at. */
export const outside = '10.0.2.2';

/** Not booted yet. Needs `emulated`. @param files of this machine, and where it has them */
export async function makeEmulated(
  name: string,
  disks: readonly EmulatedDisk[],
  files: Readonly<Record<string, string>> = {},
): Promise<Emulated> {
  const dir = mkdtempSync(join(tmpdir(), 'autark-emulated-'));
  const image = (serial: string): string => join(dir, `${serial}.img`);
  await makeRoot({ dir, image: image('root'), name, files });
  for (const { serial, megabytes } of disks)
    await must('truncate', ['--size', `${megabytes}M`, image(serial)], { env: { PATH: path } });
  let running: Running | undefined;

  const sh: Emulated['sh'] = (script, input = '') => {
    if (running === undefined) throw new Error(`${name} is not running`);
    return ask(running.port, script, input);
  };
  const end = async (): Promise<void> => {
    await running?.end();
    running = undefined;
  };
  return {
    sh,
    async must(script, input) {
      const { code, stdout, stderr } = await sh(script, input);
      if (code !== 0) throw new Error(`${name}: ${script}: exit ${String(code)}\n${stderr}${stdout}`);
      return stdout.trimEnd();
    },
    async boot() {
      const port = await freePort();
      const drives = ['root', ...disks.map(({ serial }) => serial)];
      const qemu = [...machine(port), ...drives.flatMap((serial) => drive(serial, image(serial)))];
      const started = start(dir, qemu, port);
      running = started;
      const deadline = Date.now() + patience;
      for (;;) {
        const answer = await Promise.race([
          ask(port, 'systemctl is-system-running --wait', '').catch(() => null),
          pause(5_000, null),
        ]);
        if (/running|degraded/.test(answer?.stdout ?? '')) return;
        if (started.isOver() || Date.now() > deadline)
          throw new Error(
            `${name} did not boot:\n${readFileSync(join(dir, 'console'), 'utf8').slice(-4000)}`,
          );
        await pause(200);
      }
    },
    powerCut: end,
    async remove() {
      await end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const kernelOptions =
  'console=ttyS0 rw net.ifnames=0 mitigations=off nokaslr quiet systemd.condition_needs_update=no';

/** No reset (TCG is slow after one), no firmware of the network card, and a clock that is this machine's. */
function machine(port: number): readonly string[] {
  const boot = join(treeOf('emulated'), 'boot');
  return [
    ...['-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1024'],
    ...['-nographic', '-nodefaults', '-no-reboot', '-serial', 'stdio', '-monitor', 'none'],
    ...['-kernel', join(boot, 'vmlinuz'), '-initrd', join(boot, 'initrd')],
    ...['-append', kernelOptions],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-netdev', `user,id=net,hostfwd=tcp:127.0.0.1:${port}-:${shellPort}`],
  ];
}

function drive(serial: string, file: string): readonly string[] {
  const id = serial.toLowerCase();
  return [
    ...['-drive', `if=none,id=${id},file=${file},format=raw,discard=unmap`],
    ...['-device', `virtio-blk-pci,drive=${id},serial=${serial}`],
  ];
}

/** It ends with this process. */
function start(dir: string, args: readonly string[], port: number): Running {
  const log = openSync(join(dir, 'console'), 'a');
  const call = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...args];
  const child = spawn('setpriv', call, { env: { PATH: path }, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.on('error', () => {
      resolve();
    });
    child.on('close', () => {
      resolve();
    });
  });
  let isOver = false;
  void ended.then(() => (isOver = true));
  return {
    port,
    isOver: () => isOver,
    async end() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** One connection to its shell: see emulated-root.ts for what is said. */
async function ask(port: number, script: string, input: string): Promise<RanProgram> {
  const socket = connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const bytes = Buffer.from(script);
  socket.write(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes, Buffer.from(input)]));
  // The half that is closed is the end of what is typed.
  socket.end();
  await once(socket, 'close');
  const answer = Buffer.concat(chunks).toString();
  const [head = '', code, length] = /^(\d+) (\d+)\n/.exec(answer) ?? [];
  if (code === undefined) throw new Error(`no answer to: ${script}`);
  const rest = Buffer.from(answer.slice(head.length));
  const split = Number(length);
  return {
    code: Number(code),
    stdout: rest.subarray(0, split).toString(),
    stderr: rest.subarray(split).toString(),
  };
}
