import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch, valueOf } from '../agent/adapters/scratch.ts';
import { commandsOf, contentOf, loopDisk, type LoopDisk } from '../rig/loop-disk.ts';
import { describeWith } from '../rig/needs.ts';

const id = 'ata-TESTDISK_0001';
const mebibyte = 2 ** 20;

describeWith(['loops', 'cryptsetup'], 'an encrypted volume', () => {
  const passphrase = 'correct horse';

  async function encrypted(type: 'luks1' | 'luks2'): Promise<LoopDisk> {
    const disk = await loopDisk(scratch(), 32, id);
    const cheap = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--key-file', '-'];
    await disk.must(
      'cryptsetup',
      ['luksFormat', '--batch-mode', '--type', type, ...cheap, disk.device],
      passphrase,
    );
    return disk;
  }

  test('is identified, without anything that a passphrase could be tried on', async () => {
    const disk = await encrypted('luks2');
    const token = { type: 'autark-test', keyslots: ['0'], sealed: 'planted-token' };
    await disk.must('cryptsetup', ['token', 'import', disk.device], JSON.stringify(token));
    const taken = valueOf(await disk.takes());
    expect(taken.problems).toEqual([]);
    expect(taken.backups.map(({ name }) => name)).toEqual(['filesystems', 'luks']);
    const luks = contentOf(taken, 'luks');
    const uuid = await disk.must('cryptsetup', ['luksUUID', disk.device]);
    expect(JSON.parse(luks)).toMatchObject([
      {
        ...{ device: id, uuid, version: 2 },
        keyslots: { 0: { type: 'luks2', kdf: { type: 'pbkdf2' }, area: { encryption: 'aes-xts-plain64' } } },
        segments: { 0: { type: 'crypt', encryption: 'aes-xts-plain64' } },
        tokens: { 0: { type: 'autark-test', keyslots: ['0'] } },
      },
    ]);
    const dump = await disk.must('cryptsetup', ['luksDump', '--dump-json-metadata', disk.device]);
    const hidden = [...dump.matchAll(/"(?:salt|digest|sealed)":"([^"]+)"/g)].map(([, value = '']) => value);
    expect(hidden.length).toBe(4);
    for (const value of hidden) expect(luks).not.toContain(value);
  });

  test('of the older format is identified in the same way', async () => {
    const disk = await encrypted('luks1');
    const taken = valueOf(await disk.takes());
    expect(taken.problems).toEqual([]);
    const luks = contentOf(taken, 'luks');
    expect(JSON.parse(luks)).toMatchObject([
      { device: id, version: 1, 'cipher name': 'aes', 'key slot 0': 'ENABLED', 'key slot 7': 'DISABLED' },
    ]);
    // Salts and digests are printed as bytes in hex with blanks between them.
    const dump = await disk.must('cryptsetup', ['luksDump', disk.device]);
    expect(dump).toMatch(/([0-9a-f]{2} ){4}/);
    expect(luks).not.toMatch(/([0-9a-f]{2} ){2}/);
  });

  test('gives its header when that is asked for, by a folder in memory that is gone afterwards', async () => {
    const disk = await encrypted('luks2');
    const seen = join(disk.folder, 'seen');
    const look = `folder=$(dirname "$4"); stat -c "%n %a" "$folder" >${seen}; stat -f -c %T "$folder" >>${seen}`;
    disk.fake('cryptsetup', `[ "$1" = luksHeaderBackup ] && { ${look}; }\nPATH=$real exec cryptsetup "$@"`);
    const taken = valueOf(await disk.takes({ luksHeaders: true }));
    expect(taken.problems).toEqual([]);
    const uuid = await disk.must('cryptsetup', ['luksUUID', disk.device]);
    const header =
      taken.backups.find(({ name }) => name === `luks-header-${uuid}`)?.content ?? new Uint8Array();
    const folderSeen = (): string => {
      const [first = '', type = ''] = readFileSync(seen, 'utf8').trim().split('\n');
      expect(first).toMatch(/ 700$/);
      expect(type).toBe('tmpfs');
      return first.replace(/ 700$/, '');
    };
    expect(existsSync(folderSeen())).toBe(false);

    await disk.wipe(0, 16 * mebibyte);
    writeFileSync(join(disk.folder, 'header'), header);
    const commands = commandsOf('restore.md', 'Encryption').replaceAll('/dev/sdX3', disk.device);
    await disk.must('sh', ['-eu', '-c', commands]);
    await disk.must('cryptsetup', ['open', '--test-passphrase', '--key-file', '-', disk.device], passphrase);

    disk.fake(
      'cryptsetup',
      `[ "$1" = luksHeaderBackup ] && { ${look}; echo key >"$4"; exit 1; }\nPATH=$real exec cryptsetup "$@"`,
    );
    const failed = valueOf(await disk.takes({ luksHeaders: true }));
    expect(failed.backups.map(({ name }) => name)).toEqual(['filesystems', 'luks']);
    expect(failed.problems).toEqual([
      expect.stringMatching(/^the header of .* cryptsetup exited with code 1/),
    ]);
    expect(existsSync(folderSeen())).toBe(false);
  });
});
