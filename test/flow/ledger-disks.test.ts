import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '../../shared/record/ledger.ts';
import { execHost } from '../rig/exec-system.ts';
import { fakeMachine, hidePartitions, loopDevice, showPartitions, tool } from '../rig/fake-disk.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { expectAtRest } from '../rig/sound.ts';
import { program } from '../rig/world.ts';

/** No name in Git, and nothing that is not sealed, may have it. */
const serial = 'S3R1ALN0';
const id = `ata-DISK_${serial}`;
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };

describeWith(['age', 'disks', 'cryptsetup'], 'the metadata of a host’s disks', () => {
  let fleet: Fleet & { host: FleetHost };
  let host: FleetHost;
  beforeEach(async () => {
    fleet = await makeDeployed('autark-ledger-disks');
    host = fleet.host;
  });
  afterEach(() => fleet.world.remove());

  const branch = 'refs/heads/state/web1';
  const own = (): string => host.path('var/lib/autark/key');
  const opened = async (path: string): Promise<string> => {
    const input = await fleet.server.git(['cat-file', 'blob', `${branch}:${path}`]);
    return must('age', ['--decrypt', '--identity', own()], { input: `${input}\n` });
  };
  const ledger = async (): Promise<Ledger> => JSON.parse(await opened('ledger.age')) as Ledger;

  /** The host gets a disk: a loop device, which its lsblk takes for one. */
  const addDisk = (loop: string): ((code?: number) => Promise<string>) => {
    const { searchPath } = fakeMachine([{ loop, model: 'A DISK', serial, ids: [id] }]);
    const byId = host.path('dev/disk/by-id');
    mkdirSync(byId, { recursive: true });
    symlinkSync(`../../../../../../../../../../../../dev/${basename(loop)}`, join(byId, id));
    return async (code = 0) => {
      const ran = await host.agent({ env: { PATH: searchPath, LVM_SYSTEM_DIR: host.root } });
      expect(ran.code, ran.stderr).toBe(code);
      expectAtRest(host, ran.stderr);
      return ran.stderr;
    };
  };
  const partition = (loop: string, label: string) =>
    must('sfdisk', ['--quiet', loop], { input: `label: gpt\nsize=8MiB, name=${label}\n`, env });

  test('is sealed, recorded when it changes, and restored by the program that wrote it', async () => {
    const loop = await loopDevice(64);
    await partition(loop, 'one');
    await showPartitions(loop);
    await tool('mkfs.ext4', '-q', '-L', 'data', `${loop}p1`);
    const cycle = addDisk(loop);
    await fleet.server.commit({ files: execHost('web1', 'two'), subject: 'two' });
    await cycle();

    const first = await ledger();
    const [disk] = first.disks;
    expect(first.disks).toHaveLength(1);
    expect(disk).toMatchObject({
      model: 'A DISK',
      serial,
      ids: [id],
      size: 64 * 2 ** 20,
      table: 'gpt',
      uses: [],
    });
    expect(disk?.signatures.map(({ type }) => type)).toEqual(expect.arrayContaining(['gpt', 'ext4']));
    const table = Object.entries(first.backups).find(([, { of }]) => of === id)?.[0] ?? expect.unreachable();
    const before = await opened(`backups/${table}.age`);
    expect(before).toMatch(/^label: gpt$/m);

    // An idle cycle records nothing; a table that another program writes is a record of its own.
    const count = (await host.records()).length;
    await cycle();
    expect(await host.records()).toHaveLength(count);
    await hidePartitions(loop);
    await must('sfdisk', ['--quiet', '--append', loop], { input: 'size=4MiB, name=two\n', env });
    await showPartitions(loop);
    await cycle();
    const record = await newest(host);
    expect(record.status.outcome).toMatchObject({ event: 'backup', code: 0 });
    expect(record.subject).toMatch(new RegExp(`^web1: backed up .*${table}`));
    expect(await opened(`backups/${table}.age`)).not.toBe(before);

    // The table is lost: what was taken stays as it was, and sfdisk takes it back.
    const good = await opened(`backups/${table}.age`);
    await hidePartitions(loop);
    await tool('wipefs', '--quiet', '--all', loop);
    await cycle();
    expect(await opened(`backups/${table}.age`)).toBe(good);
    writeFileSync(host.path('table'), `${good}\n`);
    await must('sh', ['-c', `sfdisk --quiet ${loop} < ${host.path('table')}`], { env });
    await showPartitions(loop);
    expect(await tool('blkid', '-p', '-s', 'LABEL', '-o', 'value', `${loop}p1`)).toBe('data');

    // Serial numbers are in what is sealed alone.
    const names = await fleet.server.git(['log', '--format=%B', '--name-only', branch]);
    expect(names).not.toContain(serial);
    for (const { id: commit } of await host.records())
      expect(await fleet.server.git(['cat-file', 'blob', `${commit}:status.json`])).not.toContain(serial);
  });

  test('a LUKS header is there only where it was asked for, and opens the volume again', async () => {
    const loop = await loopDevice(64);
    const quick = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
    await must('cryptsetup', ['luksFormat', '--batch-mode', ...quick, loop, '-'], {
      input: 'correct horse',
      env,
    });
    const cycle = addDisk(loop);
    await fleet.server.commit({ files: execHost('web1', 'two'), subject: 'two' });
    await cycle();
    const names = async () => Object.keys((await ledger()).backups).sort();
    expect(await names()).toContain('luks');
    expect((await names()).join()).not.toContain('luks-header');

    const yaml = fleet.fleetYaml('web1', ['backups: { luksHeaders: true }']);
    await fleet.server.commit({ files: { 'fleet.yaml': yaml }, subject: 'headers too' });
    await cycle();
    const header = (await names()).find((name) => name.startsWith('luks-header-')) ?? expect.unreachable();
    const script = `autark backup show web1 ${header} --identity ${own()}`;
    await must(
      'sh',
      ['-c', `${process.execPath} ${program} ${script.slice('autark '.length)} > ${host.path('header')}`],
      {
        cwd: fleet.world.clone,
        env: fleet.world.env,
      },
    );
    await must('dd', ['if=/dev/zero', `of=${loop}`, 'bs=1M', 'count=16', 'conv=fsync,notrunc'], { env });
    const restore = ['luksHeaderRestore', '--batch-mode', '--header-backup-file', host.path('header'), loop];
    await must('cryptsetup', restore, { env });
    const passphrase = ['open', '--test-passphrase', '--key-file', '-', loop];
    await must('cryptsetup', passphrase, { input: 'correct horse', env });
  });

  test('a program that fails keeps what was taken before, is said, and stops no deployment', async () => {
    const loop = await loopDevice(64);
    await partition(loop, 'one');
    const cycle = addDisk(loop);
    await fleet.server.commit({ files: execHost('web1', 'two'), subject: 'two' });
    await cycle();
    const kept = Object.keys((await ledger()).backups);
    expect(kept).not.toEqual([]);
    const failing = host.path('failing');
    mkdirSync(failing);
    for (const name of ['sfdisk', 'lsblk']) {
      writeFileSync(join(failing, name), '#!/bin/sh\necho broken >&2\nexit 1\n', { mode: 0o755 });
    }
    const { searchPath } = fakeMachine([]);
    writeFileSync(host.path('var/lib/autark/journal.json'), forgetDisks(host.journal()));
    await fleet.server.commit({ files: execHost('web1', 'three'), subject: 'three' });
    const ran = await host.agent({ env: { PATH: `${failing}:${searchPath}` } });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toMatch(/lsblk/);
    expect(host.motd()).toBe('three');
    expect(Object.keys((await ledger()).backups)).toEqual(kept);
  });
});

/** The next cycle looks at the disks again, as after a day. */
function forgetDisks(journal: string): string {
  return JSON.stringify({ ...(JSON.parse(journal) as object), disks: null });
}
