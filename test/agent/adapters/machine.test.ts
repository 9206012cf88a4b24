import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { linuxMachine } from '../../../agent/adapters/machine.ts';
import { scratch } from './scratch.ts';

const machineId = '0123456789abcdef0123456789abcdef';

function machineWith(files: Readonly<Record<string, string>>) {
  const root = scratch();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return linuxMachine({ root, state: root, blockDevices: join(root, 'block') });
}

describe('facts', () => {
  test('hash the machine-id together with the fleet', async () => {
    const machine = machineWith({ 'etc/machine-id': `${machineId}\n` });
    const expected = createHash('sha256')
      .update(Buffer.from(`autark machine\0f1\0${machineId}`))
      .digest('hex');
    expect((await machine.facts('f1')).id).toBe(expected);
    expect((await machine.facts('f2')).id).not.toBe(expected);
  });

  test.each(['', '\n', 'uninitialized\n'])('say that a machine-id of %j is unknown', async (text) => {
    expect((await machineWith({ 'etc/machine-id': text }).facts('f')).id).toBe('unknown');
  });

  test.each([
    ['NAME=x\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', 'Debian GNU/Linux 12 (bookworm)'],
    ['PRETTY_NAME=Alpine\n', 'Alpine'],
    ["PRETTY_NAME='It is \\fine'\n", 'It is \\fine'],
    ['PRETTY_NAME="a \\"b\\" \\$c"\n', 'a "b" $c'],
    ['PRETTY_NAME="\u001b[31mred"\n', 'red'],
    ['NAME=x\n', 'unknown'],
  ])('read os-release %j', async (text, os) => {
    expect((await machineWith({ 'etc/os-release': text }).facts('f')).os).toBe(os);
  });

  test('are the kernel’s own for boot, kernel and memory', async () => {
    const facts = await machineWith({}).facts('f');
    expect(facts.boot).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    expect(facts.kernel).toBe(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    const total = /^MemTotal:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
    expect(facts.memory).toBe(Number(total) * 1024);
    expect(facts.cpu).not.toBe('');
  });

  test('list disks by model and size, in an order that their names do not decide', async () => {
    const machine = machineWith({
      'block/sdb/size': '2000\n',
      'block/sdb/device/model': 'A DISK   \n',
      'block/sda/size': '4000\n',
      'block/sda/device/model': 'Z\u0007 DISK\n',
      'block/nvme0n1/size': '1000\n',
      'block/nvme0n1/device/model': 'A DISK\n',
      'block/vda/size': '8\n',
      ...Object.fromEntries(
        ['loop0', 'ram0', 'zram0', 'dm-0', 'md127', 'sr0', 'fd0'].map((name) => [
          `block/${name}/size`,
          '8\n',
        ]),
      ),
      'block/empty/size': '0\n',
      'block/garbled/size': 'x\n',
      'block/silent/uevent': '',
    });
    expect((await machine.facts('f')).disks).toEqual([
      { model: 'A DISK', size: 512_000 },
      { model: 'A DISK', size: 1_024_000 },
      { model: 'Z DISK', size: 2_048_000 },
      { model: 'unknown', size: 4096 },
    ]);
  });

  test('do without any of it', async () => {
    expect((await machineWith({}).facts('f')).disks).toEqual([]);
    const machine = linuxMachine({ root: '/', state: '/' });
    expect((await machine.facts('f')).os).not.toBe('');
  });
});

describe('isFull', () => {
  test('is false where there is room, and where that cannot be told', async () => {
    const folder = scratch();
    expect(await linuxMachine({ root: '/', state: folder }).isFull()).toBe(false);
    expect(await linuxMachine({ root: '/', state: join(folder, 'missing') }).isFull()).toBe(false);
  });
});
