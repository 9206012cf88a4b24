import type { BackupDevice } from '../../../shared/disk/backup-devices.ts';
import { readProbed, type Probed } from '../../../shared/disk/backup-filesystems.ts';
import type { Asker } from './ask.ts';

/** A device, and what was recognised on it. */
export interface ProbedDevice extends BackupDevice {
  /** `null` when it could not be read: that is not the same as nothing being there. */
  readonly probed: Probed | null;
  /** What it holds: as it was just read, else as the machine has it noted. */
  readonly holds: string | null;
  readonly uuid: string | null;
  /** Types of all signatures, where blkid recognised nothing: such as a `gpt` whose first copy is gone. */
  readonly traces: readonly string[];
}

/** Exit codes of `blkid --probe` (blkid(8)). */
const nothingFound = 2;
const ambivalent = 8;

/** @returns with `problem` when the device could not be looked at */
export async function probeDevice(
  device: BackupDevice,
  { ask }: Asker,
): Promise<{ readonly device: ProbedDevice; readonly problem: string | null }> {
  const { noted, path, stable } = device;
  const said = await ask('blkid', ['--probe', '--output', 'export', path]);
  const unread = { ...device, probed: null, holds: noted.type, uuid: noted.uuid, traces: [] };
  const problem = (program: string, how: string): string => `${path} (${stable}): ${program} ${how}`;
  if (said.code === ambivalent) {
    // More than one of them is there, and nobody can tell which one counts: documented as it is.
    const probed = new Map([['TYPE', 'ambivalent']]);
    return { device: { ...unread, probed }, problem: null };
  }
  if (said.code !== 0 && said.code !== nothingFound) {
    return { device: unread, problem: problem('blkid', said.how) };
  }
  const probed = readProbed(said.stdout);
  const [holds, uuid] = [probed.get('TYPE') ?? null, probed.get('UUID') ?? null];
  if (holds !== null || probed.has('PTTYPE')) {
    return { device: { ...device, probed, holds, uuid, traces: [] }, problem: null };
  }
  // blkid says the same of a device that it cannot open, and does not see a GPT without its guard.
  const wiped = await ask('wipefs', ['--no-act', '--noheadings', '--output', 'TYPE', path]);
  if (wiped.code !== 0) return { device: unread, problem: problem('wipefs', wiped.how) };
  const traces = wiped.stdout.split('\n').flatMap((line) => line.trim() || []);
  return { device: { ...device, probed, holds, uuid, traces }, problem: null };
}
