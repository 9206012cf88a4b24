import { mkdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from 'vitest';
import { execHost } from './exec-system.ts';
import { fakeMachine, loopDevice, tool } from './fake-disk.ts';
import { type Fleet, type FleetHost, makeFleet } from './fleet.ts';
import { stepProgram } from './steps.ts';

/** A host with two disks, and a step that formats the first, which a person has approved. */
export interface DiskStep {
  readonly fleet: Fleet;
  readonly host: FleetHost;
  readonly disk: string;
  readonly other: string;
  /** The name that the step destroys, as a link of the host's. */
  readonly link: string;
  /** Where programs are found first that the agent asks about disks. */
  readonly bin: string;
  readonly env: Readonly<Record<string, string>>;
  /** One cycle, and what it exits with; its log. */
  readonly cycle: (code: number) => Promise<string>;
  /** The label of a disk's file system: `precious`, or `wiped` once the step ran. */
  readonly label: (of?: string) => Promise<string>;
}

/** Within a test: its disks go when the test ends. */
export async function approvedDiskStep(name: string): Promise<DiskStep> {
  const fleet = await makeFleet(name);
  const host = await fleet.join('web1');
  const [disk, other] = [await loopDevice(64), await loopDevice(64)];
  const serial = 'S3R1ALN0';
  const id = `ata-DISK_${serial}`;
  const { root, searchPath } = fakeMachine([
    { loop: disk, model: 'A DISK', serial, ids: [id] },
    { loop: other, model: 'ANOTHER', serial: '5PAREN00', ids: [] },
  ]);
  const link = host.path(`dev/disk/by-id/${id}`);
  mkdirSync(join(link, '..'), { recursive: true });
  symlinkSync(`../../../../../../../../../../../../dev/${basename(disk)}`, link);
  for (const each of [disk, other]) await tool('mkfs.ext4', '-q', '-L', 'precious', each);
  const env = { PATH: searchPath, LVM_SYSTEM_DIR: host.root };
  const cycle = async (code: number): Promise<string> => {
    const ran = await host.agent({ env });
    expect(ran.code, ran.stderr).toBe(code);
    return ran.stderr;
  };
  const step = `  - { name: format, run: steps/format, destroys: [/dev/disk/by-id/${id}] }`;
  await fleet.server.commit({
    files: {
      ...execHost('web1', 'hello'),
      'fleet.yaml': fleet.fleetYaml('web1', ['steps:', step]),
      'steps/format': stepProgram(`mkfs.ext4 -q -F -L wiped ${disk}`),
    },
  });
  await cycle(60);
  await fleet.world.git(['pull', '--quiet']);
  await fleet.world.mustAutark(['step', 'approve', 'web1', 'format', '--serial', serial, '--push']);
  return {
    ...{ fleet, host, disk, other, link, env, cycle },
    bin: join(root, 'bin'),
    label: (of = disk) =>
      tool('blkid', '-p', '-s', 'LABEL', '-o', 'value', of).catch(() => 'nothing that has a label'),
  };
}
