import { join } from 'node:path';
import { isWholeGroup, neutralGroup, readVolumes, volumeColumns } from '../../../shared/disk/backup-group.ts';
import type { Asker } from './ask.ts';
import { readWritten, withFolder } from './backup-folder.ts';
import { asText, type Piece } from './backup-piece.ts';
import type { ProbedDevice } from './backup-probe.ts';

/** Bytes: a volume group's metadata fits into the area for it, which is a megabyte if nobody asked for more. */
const largest = 32 * 2 ** 20;

/**
 * Metadata of all volume groups. `--readonly`: lvm takes no lock, mends nothing, and asks the kernel nothing (lvm(8)).
 * @param root where the host's own `run` lies
 */
export async function groupsOf(
  devices: readonly ProbedDevice[],
  asker: Asker,
  root: string,
): Promise<readonly Piece[]> {
  // What lies on a logical volume is the business of a guest, and lvm does not look there.
  const members = devices.filter(({ holds, type }) => holds === 'LVM2_member' && type !== 'lvm');
  if (!(await asker.has('lvm'))) {
    return members.map(({ path, stable }) => ({
      problem: `${path} (${stable}) belongs to LVM, and there is no program lvm`,
    }));
  }
  const listed = await asker.ask('lvm', ['pvs', '--readonly', ...volumeColumns]);
  if (listed.code !== 0) {
    return members.length === 0
      ? []
      : [{ problem: `volume groups are not backed up: lvm pvs ${listed.how}` }];
  }
  const volumes = readVolumes(listed.stdout);
  const unseen = members.filter(({ uuid }) => !volumes.some((volume) => volume.uuid === uuid));
  const stable = new Map(members.flatMap((each) => (each.uuid === null ? [] : [[each.uuid, each.stable]])));
  const pieces: Piece[] = unseen.map(({ path, stable: name }) => ({
    problem: `${path} (${name}) belongs to LVM, and lvm does not show it`,
  }));
  const names = new Set(volumes.flatMap(({ group }) => group ?? []));
  for (const name of [...names].sort()) pieces.push(await groupOf(name, stable, asker, root));
  return pieces;
}

async function groupOf(
  name: string,
  stable: ReadonlyMap<string, string>,
  { ask }: Asker,
  root: string,
): Promise<Piece> {
  const problem = (why: string): Piece => ({ problem: `volume group ${name} is not backed up: ${why}` });
  const done = await withFolder(root, async (folder) => {
    const file = join(folder, 'group');
    const said = await ask('lvm', ['vgcfgbackup', '--readonly', '--file', file, name]);
    if (said.code !== 0) return problem(`lvm vgcfgbackup ${said.how}`);
    const bytes = await readWritten(file, largest);
    const text = bytes === null ? '' : Buffer.from(bytes).toString('utf8');
    if (!isWholeGroup(text)) return problem('lvm vgcfgbackup wrote no metadata');
    return asText(`lvm-${name}`, neutralGroup(text, stable));
  });
  return done.ok ? done.value : problem(done.failure);
}
