import { join } from 'node:path';
import { luks1Facts, luks2Facts, luksFile, type LuksVolume } from '../../../shared/disk/backup-luks.ts';
import type { Asker } from './ask.ts';
import { readWritten, withFolder } from './backup-folder.ts';
import { asText, type Piece } from './backup-piece.ts';
import type { ProbedDevice } from './backup-probe.ts';

/** Encrypted volumes: what identifies them, and their headers where these are wanted. */
export async function luksOf(
  devices: readonly ProbedDevice[],
  asker: Asker,
  options: { readonly luksHeaders: boolean; readonly root: string; readonly largest: number },
): Promise<readonly Piece[]> {
  const encrypted = devices.filter(({ holds }) => holds === 'crypto_LUKS');
  if (encrypted.length === 0) return [];
  if (!(await asker.has('cryptsetup'))) {
    return [{ problem: 'there are encrypted volumes, and there is no program cryptsetup' }];
  }
  const pieces: Piece[] = [];
  const volumes: LuksVolume[] = [];
  for (const device of encrypted) {
    const volume = await describe(device, asker);
    if (typeof volume === 'string') pieces.push({ problem: volume });
    else volumes.push(volume);
  }
  // Half of them would take the place of all of them.
  if (pieces.length === 0) pieces.push(asText('luks', luksFile(volumes)));
  if (!options.luksHeaders) return pieces;
  for (const device of encrypted) pieces.push(await headerOf(device, asker, options));
  return pieces;
}

async function describe(device: ProbedDevice, { ask }: Asker): Promise<LuksVolume | string> {
  const { path, stable, uuid, probed } = device;
  const version = probed?.get('VERSION') === '1' ? 1 : 2;
  const said = await ask('cryptsetup', [
    'luksDump',
    ...(version === 2 ? ['--dump-json-metadata'] : []),
    path,
  ]);
  const what = `the encrypted volume on ${path} (${stable}) is not described`;
  if (said.code !== 0) return `${what}: cryptsetup ${said.how}`;
  const facts = version === 2 ? luks2Facts(said.stdout) : luks1Facts(said.stdout);
  return facts === null
    ? `${what}: cryptsetup printed something else`
    : { device: stable, uuid, version, facts };
}

async function headerOf(
  { path, stable, uuid }: ProbedDevice,
  { ask }: Asker,
  { root, largest }: { readonly root: string; readonly largest: number },
): Promise<Piece> {
  const problem = (why: string): Piece => ({
    problem: `the header of the encrypted volume on ${path} (${stable}) is not backed up: ${why}`,
  });
  const done = await withFolder(root, async (folder) => {
    const file = join(folder, 'header');
    const said = await ask('cryptsetup', ['luksHeaderBackup', path, '--header-backup-file', file]);
    if (said.code !== 0) return problem(`cryptsetup ${said.how}`);
    const content = await readWritten(file, largest);
    if (content === null) return problem(`it is missing, or larger than ${largest / 2 ** 20} MiB`);
    return { backup: { name: `luks-header-${uuid ?? stable}`, content } };
  });
  return done.ok ? done.value : problem(done.failure);
}
