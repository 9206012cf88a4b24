import { isGuardAlone, neutralTable } from '../../../shared/disk/backup-table.ts';
import type { Asker } from './ask.ts';
import type { ProbedDevice } from './backup-probe.ts';
import { asText, type Piece } from './backup-piece.ts';

/**
 * The partition table of one disk. None is no problem, unless something speaks for there having been one: the newest copy of
 * a table that was lost must not give way to nothing.
 */
export async function tableOf(disk: ProbedDevice, { ask }: Asker): Promise<Piece> {
  const said = await ask('sfdisk', ['--dump', disk.path]);
  const where = `${disk.path} (${disk.stable})`;
  if (said.code === 0 && said.stdout.includes('label:')) {
    if (isGuardAlone(said.stdout)) return { problem: `the GPT of ${where} is lost, both copies of it` };
    return asText(`table-${disk.stable}`, neutralTable(said.stdout, disk.stable));
  }
  if (!said.how.includes('does not contain a recognized partition table')) {
    return { problem: `the partition table of ${where} is not backed up: sfdisk ${said.how}` };
  }
  const type = disk.probed?.get('PTTYPE') ?? (disk.traces.includes('gpt') ? 'gpt' : undefined);
  if (type !== undefined)
    return { problem: `${where} has a partition table (${type}) that sfdisk cannot read` };
  if (disk.hasPartitions) {
    return { problem: `${where} has no partition table any more, but the kernel still has its partitions` };
  }
  return {};
}
