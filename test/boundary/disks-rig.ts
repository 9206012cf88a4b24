import { machineDisks } from '../../agent/adapters/disks/disks.ts';
import { openPrograms } from '../../agent/adapters/process.ts';
import type { Disk } from '../../shared/disk/disk.ts';
import type { Examination } from '../../shared/disk/examination.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import type { FakeMachine } from '../rig/fake-disk.ts';

export function disksOf(machine: FakeMachine) {
  return machineDisks({ ...machine, programs: openPrograms() });
}

export function bounds(timeout = 60_000) {
  return { timeout, signal: new AbortController().signal };
}

export async function inventoryOf(machine: FakeMachine): Promise<readonly Disk[]> {
  return valueOf(await disksOf(machine).inventory(bounds()));
}

/** Of the disk with this name below `/dev/disk/by-id`. */
export async function examined(machine: FakeMachine, id: string): Promise<Examination> {
  return valueOf(await disksOf(machine).examine(`/dev/disk/by-id/${id}`, bounds()));
}

export const MiB = 2 ** 20;
