import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Ledger } from '../../shared/record/ledger.ts';
import { destroyArray, makeArray, makeArrayAnew, stopArray } from '../rig/emulated-array.ts';
import { recordsOf } from '../rig/fleet.ts';
import { commandsOf } from '../rig/loop-disk.ts';
import { describeWith } from '../rig/needs.ts';
import { mainAccount } from '../rig/provider.ts';
import {
  addStep,
  disk,
  fill,
  members,
  readmeBlocks,
  type RentedMachine,
  rentMachine,
} from '../rig/rented-machine.ts';
import type { RanProgram } from '../rig/run.ts';

const letter = 'Dear reader, this is on the disk of a rented server.';

describeWith(['emulated', 'curl', 'age', 'ssh-keygen'], 'a rented server, emulated', () => {
  let rented: RentedMachine;
  beforeAll(async () => {
    rented = await rentMachine(`${letter}\n`);
  });
  afterAll(() => rented.remove());

  /** Runs what is typed on the server; the code is that of the agent. */
  const there = async (commands: string, code: number, typed = ''): Promise<RanProgram> => {
    const script = `${commands.replace('autark agent --once', '$&; ended=$?')}\nexit \${ended:-$?}\n`;
    const ran = await rented.server.sh(script, typed);
    expect(ran.code, `${commands}\n${ran.stderr}${ran.stdout}`).toBe(code);
    return ran;
  };
  const desk = async (commands: string, typed = ''): Promise<string> => {
    const ran = await rented.desk(commands, typed);
    expect(ran.code, `${commands}\n${ran.stdout}${ran.stderr}`).toBe(0);
    return ran.stdout;
  };
  const cycle = async (code: number): Promise<string> => (await there('autark agent --once', code)).stderr;
  const events = async (): Promise<readonly string[]> =>
    (await recordsOf(rented.fleet.server, 'web1')).map(({ status }) => status.outcome.event);

  test('is formatted and installed by what its README tells people to type', async () => {
    const { fleet, provider, remote } = rented;
    const [enrol = '', approve = '', push = '', lend = '', agree = '', go = '', look = '', ...more] =
      readmeBlocks();
    expect(more).toEqual([]);
    const own = { 'ssh://git@git.example.org/fleet.git': remote, COMMIT: fleet.introduction };
    const { stdout } = await there(fill(enrol, own), 0);
    expect(stdout).toContain(` ${disk.id} -> `);
    const [fingerprint = ''] = stdout.split('\n');
    await desk(fill(approve, { 'SHA256:…': fingerprint }), 'y\n');
    rented.fillIn();
    await desk(push);

    const typed = `${mainAccount.user}\n${mainAccount.password}\n`;
    expect((await there(lend, 60, typed)).stderr).toContain('nobody approved this step on this machine');
    expect(provider.calls()).toEqual([`POST /accounts as ${mainAccount.user}`]);
    expect(await rented.server.must(`wipefs --noheadings /dev/disk/by-id/${disk.id}`)).toBe('');

    expect(await desk(agree, `${disk.serial}\n`)).toContain(
      `Type the serial number of /dev/disk/by-id/${disk.id}`,
    );
    await there(go, 0);
    expect(provider.calls().slice(1)).toEqual(['GET /image as web1-sub']);
    expect(await rented.server.must('findmnt --noheadings --output SOURCE /mnt')).toBe(
      '/dev/mapper/vg0-root',
    );
    expect(await rented.server.must('cat /mnt/letter')).toBe(letter);
    const said = await desk(look);
    expect(said).toContain('web1-sub');
    expect(await events()).toEqual([
      ...[
        'enrolled',
        'step-started',
        'step-done',
        'held',
        'step-started',
        'step-done',
        'step-started',
        'step-done',
      ],
      'deployed',
    ]);
  });

  const branch = 'refs/heads/state/web1';
  const mounted = () => rented.server.must('mount /dev/vg0/root /mnt && cat /mnt/letter');

  test('does nothing of it again after a power cut', async () => {
    const before = await events();
    await rented.server.powerCut();
    await rented.server.boot();
    await cycle(0);
    const after = await events();
    expect(after.slice(0, before.length)).toEqual(before);
    expect(after.slice(before.length).filter((event) => event.startsWith('step'))).toEqual([]);
    expect(await mounted()).toBe(letter);
  });

  test('does nothing of it when its journal and its branch are gone, or are from before', async () => {
    const { fleet, server } = rented;
    const records = await recordsOf(fleet.server, 'web1');
    const tip = records.at(-1)?.id ?? '';
    const held = records.findLast(({ status }) => status.outcome.event === 'held')?.id ?? '';
    await server.must('cp -a /var/lib/autark /var/lib/kept');
    await server.must("find /var/lib/autark -mindepth 1 -maxdepth 1 ! -name 'key*' -exec rm -r {} +");
    await fleet.server.git(['update-ref', '-d', branch]);
    expect(await cycle(10)).toContain('this machine has no journal');

    await fleet.server.git(['update-ref', branch, held]);
    await there('autark enroll --resume', 0);
    expect(await cycle(60)).toContain('the approval names another installation');
    expect(await server.must('cat /mnt/letter')).toBe(letter);

    await server.must('rm -r /var/lib/autark && mv /var/lib/kept /var/lib/autark');
    await fleet.server.git(['update-ref', branch, tip]);
    await cycle(0);
    expect(await server.must('cat /mnt/letter')).toBe(letter);
  });

  /** Decrypted at the desk, and copied to where commands of a page run. */
  const shown = async (name: string, file: string): Promise<string> => {
    const text = await desk(`autark backup show web1 ${name} > ../${file}; cat ../${file}`);
    await rented.server.must(`cat >${file}`, text);
    return text;
  };
  const ledger = async (): Promise<Shown> =>
    JSON.parse(await desk('autark ledger show web1 --json')) as Shown;
  const physical = (text: string): string =>
    /pv0 \{\s+id = "([^"]+)"/.exec(text)?.[1] ?? expect.unreachable();

  test('gets its partition table and its volumes back by what restore.md tells people to type', async () => {
    const { server } = rented;
    await desk('git fetch');
    const { backups } = (await ledger()).ledger;
    const table = Object.entries(backups).find(([, { of }]) => of === disk.id)?.[0] ?? '';
    const device = await server.must(`readlink --canonicalize /dev/disk/by-id/${disk.id}`);
    await server.must('umount /mnt && vgchange --quiet --activate n vg0');
    const zeros = 'dd if=/dev/zero bs=1M count=1 conv=fsync status=none';
    await server.must(
      `${zeros} of=${device}2; ${zeros} of=${device}; ${zeros} of=${device} seek=${disk.megabytes - 1}`,
    );
    // udev, which watches what is written, may have told the kernel already that there are no partitions any more.
    await server.must(
      `udevadm settle; partx --delete ${device} || true; udevadm settle; ! [ -e ${device}1 ]`,
    );
    expect(await server.must(`lsblk --noheadings --list ${device}; vgs --noheadings`)).not.toContain('vg0');

    await shown(table, 'table');
    await server.must(fill(commandsOf('restore.md', 'Partition table'), { '/dev/sdX': device }));
    const own = { 'PV-UUID': physical(await shown('lvm-vg0', 'vg0.conf')), '/dev/sdX': device };
    await server.must(fill(commandsOf('restore.md', 'LVM'), own));
    await server.must(commandsOf('restore.md', 'LVM', 'kernel'));
    const look = fill(commandsOf('restore.md', 'File systems, to look first'), {
      '/dev/vg0/data': '/dev/vg0/root',
    });
    await server.must(look);
    expect(await server.must('cat /mnt/letter')).toBe(letter);
  });

  const [first, second] = members;
  const byId = (serial: string): string => `/dev/disk/by-id/virtio-${serial}`;
  const array = [byId(first), byId(second)] as const;
  const wipe = [...['- name: wipe-member', '  run: hosts/web1/wipe'], `  destroys: [${byId(first)}]`];

  test('does not give away a disk that became a member of an array since it was approved', async () => {
    const { fleet, server } = rented;
    await fleet.world.git(['pull', '--quiet']);
    addStep(join(fleet.world.clone, 'fleet.yaml'), wipe);
    const program = `#!/bin/sh\nset -eu\ntouch /wiped\nwipefs --all --force ${byId(first)}\n`;
    await fleet.world.commit({ 'hosts/web1/wipe': { executable: program } }, 'Wipe a disk');
    expect(await cycle(60)).toContain('nobody approved this step on this machine');
    await desk('git pull; autark step approve web1 wipe-member; git push', `${first}\n`);

    await server.must(makeArray(array, letter));
    const said = await cycle(60);
    const kernel = (await server.must(`readlink --canonicalize ${byId(first)}`)).replace('/dev/', '');
    expect(said).toContain(`${kernel} is a member of md0`);
    expect(said).toContain(`${kernel} is held by md0`);
    expect(said).toContain(`md0 (on ${kernel}) is held by dm-`);
    expect(said).toContain('this disk could not be opened for the step alone');
    expect(said).toContain('its partitions or signatures are not those that were approved');
    const { disks } = (await ledger()).ledger;
    const uses = disks.find(({ ids }) => ids.includes(disk.id))?.uses.join('; ');
    expect(uses).toMatch(
      /^(?<disk>vd[a-z])2 belongs to volume group vg0; \k<disk>2 is held by dm-\d+ \(vg0-root\)/,
    );
    const again = await rented.desk('git pull; autark step approve web1 wipe-member', `${first}\n`);
    expect(again.code).not.toBe(0);
    expect(again.stdout).toContain('this disk is in use');
    const list = await desk('autark backup list web1');
    for (const name of ['md', 'lvm-vg0', 'lvm-vg1', 'filesystems']) expect(list).toContain(name);
    expect(await server.must('! ls /wiped && cat /data/letter')).toBe(letter);
  });

  test('gets the array and its volume back', async () => {
    const { server } = rented;
    const conf = await shown('md', 'mdadm.conf');
    await server.must(stopArray);
    await server.must(commandsOf('restore.md', 'RAID', 'kernel'));
    await server.must('mount /dev/vg1/data /data && cat /data/letter');

    // Now what is on the members themselves is gone, and the label of the group on top with it.
    await server.must(destroyArray(array));
    await server.must('! mdadm --assemble --scan --config=mdadm.conf');
    await server.must(makeArrayAnew(array, conf), 'y\n');
    const labelled = {
      'PV-UUID': physical(await shown('lvm-vg1', 'vg1.conf')),
      '/dev/sdX2': '/dev/md0',
      vg0: 'vg1',
    };
    await server.must(fill(commandsOf('restore.md', 'LVM'), labelled));
    await server.must(fill(commandsOf('restore.md', 'LVM', 'kernel'), { vg0: 'vg1' }));
    expect(
      await server.must('fsck -n /dev/vg1/data && mount /dev/vg1/data /data && cat /data/letter'),
    ).toContain(letter);
  });

  test('wipes a member of the array once it is stopped and was approved as what it is', async () => {
    const { server } = rented;
    await server.must(stopArray);
    const said = await cycle(60);
    expect(said).not.toContain('this disk is in use');
    expect(said).toContain('its partitions or signatures are not those that were approved');
    await server.must('! ls /wiped');

    const approving = 'git pull; autark step approve web1 wipe-member; git push';
    expect(await desk(approving, `${first}\n`)).toContain('linux_raid_member');
    await cycle(0);
    expect(await server.must(`ls /wiped && wipefs --noheadings ${byId(first)}`)).toBe('/wiped');
    await server.must(`mdadm --assemble --run /dev/md0 ${byId(second)} && udevadm settle`);
    await server.must('vgchange --quiet --activate y vg1 && mount /dev/vg1/data /data');
    expect(await server.must('cat /data/letter')).toBe(letter);
  });
});

interface Shown {
  readonly ledger: Pick<Ledger, 'backups' | 'disks'>;
}
