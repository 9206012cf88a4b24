import { type ArrayMember, arraysFile } from '../../../shared/disk/backup-arrays.ts';
import type { Asker } from './ask.ts';
import { asText, type Piece } from './backup-piece.ts';
import type { ProbedDevice } from './backup-probe.ts';

/** Signatures of members of arrays that mdadm knows: its own, and those of firmware. */
const memberTypes = ['linux_raid_member', 'isw_raid_member', 'ddf_raid_member'];

/** All arrays, as one file: half of them would take the place of all of them. */
export async function arraysOf(devices: readonly ProbedDevice[], asker: Asker): Promise<readonly Piece[]> {
  const members = devices.filter(({ holds }) => holds !== null && memberTypes.includes(holds));
  const isNeeded = members.length > 0 || devices.some(({ type }) => /^(raid|md)/.test(type));
  if (!isNeeded) return [];
  if (!(await asker.has('mdadm')))
    return [{ problem: 'there are RAID arrays, and there is no program mdadm' }];
  const problem = (what: string, how: string): readonly Piece[] => [
    { problem: `RAID arrays are not backed up: mdadm ${what} ${how}` },
  ];
  const detailed = await asker.ask('mdadm', ['--detail', '--scan']);
  // Arrays that nobody assembled are known by their members alone, and without any mdadm has nothing to scan.
  if (detailed.code !== 0 && devices.some(({ type }) => /^(raid|md)/.test(type))) {
    return problem('--detail', detailed.how);
  }
  const examined = await asker.ask('mdadm', ['--examine', '--scan']);
  if (examined.code !== 0) return problem('--examine', examined.how);
  const about: ArrayMember[] = [];
  for (const { path, stable } of members) {
    const said = await asker.ask('mdadm', ['--examine', path]);
    if (said.code !== 0) return problem(`--examine ${path}`, said.how);
    about.push({ name: stable, examined: said.stdout });
  }
  return [asText('md', arraysFile(detailed.stdout, examined.stdout, about))];
}
