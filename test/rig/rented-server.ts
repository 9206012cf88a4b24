import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { fakeMachine, hidePartitions, loopDevice, tool } from './fake-disk.ts';
import type { FleetHost, Files } from './fleet.ts';
import { patience } from './patience.ts';
import { must, run } from './run.ts';

const example = join(import.meta.dirname, '../../examples/rented-server');
const system = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const mebibyte = 2 ** 20;

/** The server's disk, as the example calls it, and another one that it has. */
export const diskId = 'ata-EXAMPLE_S3R1ALN0';
export const spareId = 'ata-SPARE_5PAREN00';

/** A server with two real disks, one of which the example's step formats. */
export interface RentedServer {
  readonly disk: string;
  /** For its agent: its programs take the two for all disks of the machine. */
  readonly env: Readonly<Record<string, string>>;
  /** Where the name leads from now on. */
  link(id: string, to: 'disk' | 'spare'): void;
  /** Unmounts what the steps left mounted, and takes the volumes away: nothing uses the disk then. */
  letGo(): Promise<void>;
  /** SHA-256 of every byte of the disk. */
  digest(): Promise<string>;
  /** A file of the volume `root`, read from the disk without mounting it. */
  read(path: string): Promise<string>;
  /** Zeros over the partition table, its copy at the end, and LVM's label and metadata. */
  destroyMetadata(): Promise<void>;
  /** Runs a script with its programs, in a folder. */
  sh(script: string, cwd: string): Promise<string>;
  /** The example's `format`, which finds stand-ins of what this kernel does not have. */
  readonly format: string;
}

const megabytes = 96;

/** Small enough for a test: what the example declares is for a disk of its own size. */
export const declared: Files = {
  'hosts/web1/disk/partitions': 'label: gpt\nsize=36MiB, type=uefi, name=efi\ntype=lvm, name=lvm\n',
  'hosts/web1/disk/volumes': 'root 16M\nsrv 8M\n',
};

/** Within a test: it goes when the test ends. */
export async function rentServer(host: FleetHost): Promise<RentedServer> {
  const loops = { disk: await loopDevice(megabytes), spare: await loopDevice(48) };
  const { root, searchPath } = fakeMachine([
    { loop: loops.disk, model: 'Example', serial: 'S3R1ALN0', ids: [diskId] },
    { loop: loops.spare, model: 'Spare', serial: '5PAREN00', ids: [spareId] },
  ]);
  const bin = join(root, 'bin');
  standIns(bin, loops.disk, host);
  const byId = host.path('dev/disk/by-id');
  mkdirSync(byId, { recursive: true });
  const link: RentedServer['link'] = (id, to) => {
    rmSync(join(byId, id), { force: true });
    symlinkSync(loops[to], join(byId, id));
  };
  link(diskId, 'disk');
  link(spareId, 'spare');
  const letGo = async (): Promise<void> => {
    await run('umount', [host.path('mnt')], { env: { PATH: system } });
    const said = await tool('losetup', '--json', '--list');
    const list = said === '' ? [] : (JSON.parse(said) as Losetup).loopdevices;
    const of = `${loops.disk}p2`;
    for (const each of list) if (each['back-file'] === of) await tool('losetup', '--detach', each.name);
    // The kernel lets go of one only when nobody has it open any more.
    await vi.waitUntil(async () => !(await tool('losetup', '--list', '--noheadings')).includes(of), patience);
    rmSync(host.path('dev/vg0'), { recursive: true, force: true });
  };
  onTestFinished(letGo);
  const bytes = async <T>(of: (file: string) => Promise<T>): Promise<T> => {
    const folder = mkdtempSync(join(tmpdir(), 'autark-test-bytes-'));
    try {
      // Past the caches of disk and partitions, which differ from each other.
      const copy = ['iflag=direct', 'bs=1M', 'status=none', `of=${folder}/copy`];
      await tool('dd', `if=${loops.disk}`, ...copy);
      return await of(join(folder, 'copy'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  let place: string | undefined;
  return {
    ...{ disk: loops.disk, link, letGo },
    env: { PATH: searchPath, LVM_SYSTEM_DIR: host.root },
    digest: () =>
      bytes((file) => Promise.resolve(createHash('sha256').update(readFileSync(file)).digest('hex'))),
    read(path) {
      place ??= readFileSync(join(bin, 'root.place'), 'utf8').trim();
      const offset = Number(place) + 37 * mebibyte;
      return bytes((file) => tool('debugfs', '-R', `cat ${path}`, `${file}?offset=${offset}`));
    },
    async destroyMetadata() {
      await hidePartitions(loops.disk);
      const zeros = (at: number) =>
        tool(
          'dd',
          'if=/dev/zero',
          `of=${loops.disk}`,
          'bs=1M',
          'count=1',
          `seek=${at}`,
          'conv=notrunc,fsync',
        );
      for (const at of [0, 37, megabytes - 1]) await zeros(at);
    },
    sh: (script, cwd) => must('sh', ['-eu', '-c', script], { cwd, env: { PATH: searchPath, LC_ALL: 'C' } }),
    format: formatWith(bin),
  };
}

interface Losetup {
  readonly loopdevices: readonly { readonly name: string; readonly 'back-file': string | null }[];
}

/** The example's files; the provider is at `url`. */
export function exampleFiles(url: string, format: string): Files {
  const text = (path: string): string => readFileSync(join(example, path), 'utf8');
  const executable = (path: string) => ({ executable: text(path) });
  return {
    ...declared,
    'hosts/web1/disk/id': text('hosts/web1/disk/id'),
    'hosts/web1/provider': `${url}\n`,
    'hosts/web1/build': executable('hosts/web1/build'),
    'hosts/web1/sub-account': executable('hosts/web1/sub-account'),
    'hosts/web1/install': executable('hosts/web1/install'),
    'hosts/web1/format': { executable: format },
  };
}

/** What the example's `fleet.yaml` says of its host's steps, as lines below the host. */
export function exampleSteps(): readonly string[] {
  const [, steps = ''] = readFileSync(join(example, 'fleet.yaml'), 'utf8').split(/^(?= {4}steps:)/m);
  return steps
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(4));
}

function formatWith(bin: string): string {
  const text = readFileSync(join(example, 'hosts/web1/format'), 'utf8');
  return text.replace('set -eu\n', `set -eu\nPATH=${bin}:$PATH\n`);
}

/**
 * LVM that sees the one disk, and makes what the device mapper would: each volume is a loop device over its place, for not
 * every kernel that tests run on has a device mapper.
 */
function standIns(bin: string, disk: string, host: FleetHost): void {
  const part = `${disk}p2`;
  const home = join(bin, 'lvm.d');
  mkdirSync(home);
  writeFileSync(join(home, 'lvm.conf'), 'backup { backup = 0\n archive = 0 }\n');
  const head = `#!/bin/sh\nset -eu\nexport LVM_SYSTEM_DIR=${home} LVM_SUPPRESS_FD_WARNINGS=1 PATH=${system}\n`;
  const write = (name: string, script: string): void => {
    writeFileSync(join(bin, name), `${head}${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  write('lvm', `[ -e ${part} ] || exit 0\nexec lvm "$@" --devices ${part}`);
  for (const name of ['pvcreate', 'vgcreate', 'vgcfgrestore'])
    write(name, `exec lvm ${name} "$@" --devices ${part}`);
  const show = (verb: string, fields: string, of: string): string =>
    `lvm ${verb} --noheadings --units b --nosuffix --driverloaded n --devices ${part} -o ${fields} ${of}`;
  write(
    'lvcreate',
    `lvm lvcreate "$@" --driverloaded n --activate n --zero n --wipesignatures n --devices ${part}
while [ "$1" != --name ]; do shift; done
name=$2
set -- $(${show('pvs', 'pe_start', part)}) $(${show('lvs', 'vg_extent_size,lv_size,seg_pe_ranges', 'vg0/"$name"')})
first=\${4##*:}
offset=$(($1 + \${first%-*} * $2))
echo $offset >${bin}/"$name".place
mkdir -p ${host.path('dev/vg0')}
ln -s "$(losetup --find --show --offset $offset --sizelimit $3 ${part})" ${host.path('dev/vg0')}/"$name"`,
  );
}
