import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import type { Membership } from '../../../shared/disk/in-use.ts';
import type { Told } from '../../../shared/disk/uses.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Bounds } from '../../ports.ts';
import { sleep } from '../clock.ts';
import { errorCode } from '../file-failure.ts';
import { blockNumber, nodes, numberOf } from './nodes.ts';

/**
 * Loop devices whose backing file is a block device (Linux, drivers/block/loop.c): the kernel counts that neither as a holder
 * nor as a use that O_EXCL would meet.
 */
export async function loopsOverDevices(): Promise<readonly Membership[]> {
  const all = await readdir('/sys/block').catch(() => []);
  const loops = await Promise.all(
    all.map(async (of) => {
      const said = await readFile(`/sys/block/${of}/loop/backing_file`, 'utf8').catch(() => '');
      const path = said.replace(/\n$/, '').replace(/ \(deleted\)$/, '');
      if (!path.startsWith(`${nodes}/`)) return [];
      // A node that is gone still has the kernel's name.
      return [{ device: (await blockNumber(path)) ?? path.slice(nodes.length + 1), of }];
    }),
  );
  return loops.flat();
}

/** How often is looked, and milliseconds between: LVM or udev has every disk open for a moment now and then. */
const [looks, pause] = [10, 500];

/**
 * Processes that have one of these devices open, and keep it so, such as a virtual machine on a whole disk (proc_pid_fd(5)):
 * without O_EXCL nobody else is told. Our own is left out.
 * @param numbers as `MAJOR:MINOR`
 */
export async function openersOf(
  numbers: ReadonlySet<string>,
  { signal }: Pick<Bounds, 'signal'>,
): Promise<Told<readonly Membership[]>> {
  let before: readonly Membership[] = [];
  for (let look = 1; ; look += 1) {
    const found = await openNow(numbers);
    if (!('told' in found) || found.told.length === 0) return found;
    const lasting = found.told.filter(({ of }) => before.some((each) => each.of === of));
    if (look === looks || signal.aborted) return lasting.length > 0 ? { told: lasting } : found;
    before = found.told;
    await sleep(pause, signal);
  }
}

async function openNow(numbers: ReadonlySet<string>): Promise<Told<readonly Membership[]>> {
  const found: Membership[] = [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  for (const pid of pids) {
    try {
      for (const device of new Set(await opened(pid)))
        if (numbers.has(device)) found.push({ device, of: await nameOf(pid) });
    } catch (error) {
      // It ended meanwhile.
      const code = errorCode(error);
      if (code !== 'ENOENT' && code !== 'ESRCH')
        return { untold: `what other processes have open cannot be read (${code ?? 'unknown'})` };
    }
  }
  return { told: found };
}

/** One by one: a process that nobody may look into, as some are in containers, tells nothing of what it has open. */
async function opened(pid: string): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  const devices: string[] = [];
  for (const number of await readdir(folder)) {
    const link = await readlink(`${folder}/${number}`).catch(() => '');
    // Device nodes alone, also those of a root of its own: to ask for another file may hang.
    if (!link.includes(`${nodes}/`)) continue;
    const file = await stat(`${folder}/${number}`, { bigint: true }).catch(() => null);
    if (file?.isBlockDevice() === true) devices.push(numberOf(file.rdev));
  }
  return devices;
}

/** proc_pid_comm(5); without its number, which would be another one with each look. */
async function nameOf(pid: string): Promise<string> {
  const name = oneLine(await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => ''));
  return name === '' ? 'a process' : name;
}
