import { describe, expect, test } from 'vitest';
import { mountOf, parseMounts } from '../../../shared/doctor/mounts.ts';
import { checkPersistence } from '../../../shared/doctor/persistence.ts';

/** proc_pid_mountinfo(5): id, parent, device, root, mount point, options, tags, `-`, type, source, options. */
const disk = '30 1 8:1 / / rw,relatime shared:1 - ext4 /dev/vda rw';
const line = (id: number, parent: number, point: string, type: string, more = 'rw', source = type): string =>
  `${id} ${parent} 0:${id} / ${point} rw,nosuid shared:${id} master:2 - ${type} ${source} ${more}`;

const fateOf = (lines: readonly string[], real = '/var/lib/autark', layers: Record<string, string> = {}) =>
  checkPersistence({
    kept: [{ what: 'it', path: '/var/lib/autark', real, isWritten: true }],
    mounts: parseMounts(lines.join('\n')),
    layers: new Map(Object.entries(layers)),
  });
const isOf = (...call: Parameters<typeof fateOf>) => fateOf(...call).map(({ is }) => is);

describe('mountinfo', () => {
  test('is read with and without optional fields, and with escaped blanks', () => {
    const text = `${disk}\n31 30 0:31 /a /b\\040c\\134d ro - tmpfs none rw,size=1k\nnonsense\n`;
    const [first, second, ...others] = parseMounts(text);
    expect(first).toMatchObject({ id: 30, parent: 1, point: '/', type: 'ext4', isReadOnly: false });
    expect(second).toMatchObject({ id: 31, parent: 30, point: '/b c\\d', source: 'none', isReadOnly: true });
    expect(others).toEqual([]);
  });

  test('the nearest mount above a path holds it, by whole names', () => {
    const mounts = parseMounts(
      [disk, line(31, 30, '/var', 'xfs'), line(32, 31, '/var/lib', 'btrfs')].join('\n'),
    );
    const typeAt = (path: string) => mountOf(mounts, path)?.type;
    expect(typeAt('/var/lib/autark')).toBe('btrfs');
    expect(typeAt('/var/library')).toBe('xfs');
    expect(typeAt('/various')).toBe('ext4');
    expect(typeAt('/')).toBe('ext4');
  });

  test('what a later mount covers holds nothing', () => {
    const covered = [disk, line(31, 30, '/var/lib/autark', 'xfs'), line(32, 30, '/var', 'tmpfs')];
    expect(mountOf(parseMounts(covered.join('\n')), '/var/lib/autark')?.type).toBe('tmpfs');
    const stacked = [disk, line(31, 30, '/var', 'xfs'), line(32, 31, '/var', 'tmpfs')];
    expect(mountOf(parseMounts(stacked.join('\n')), '/var/x')?.type).toBe('tmpfs');
  });

  test('the first root, of the kernel itself, lies below the real one', () => {
    const roots = ['1 1 0:2 / / rw - rootfs rootfs rw', disk];
    expect(mountOf(parseMounts(roots.join('\n')), '/var')?.type).toBe('ext4');
    // In a container the parent of its root is not to be seen.
    expect(mountOf(parseMounts('500 499 0:9 / / rw - xfs /dev/x rw'), '/var')?.type).toBe('xfs');
    expect(mountOf(parseMounts(line(31, 30, '/var', 'xfs')), '/home')).toBeUndefined();
  });
});

describe('what must outlive a reboot', () => {
  test('does on a disk, and not in memory', () => {
    expect(isOf([disk])).toEqual(['well']);
    expect(isOf([disk, line(31, 30, '/var', 'tmpfs')])).toEqual(['not-well']);
    expect(isOf([disk, line(31, 30, '/var', 'ramfs')])).toEqual(['not-well']);
    expect(isOf([disk, line(31, 30, '/var', 'ext4', 'rw', '/dev/zram0')])).toEqual(['not-well']);
    expect(isOf(['1 1 0:2 / / rw - rootfs rootfs rw'])).toEqual(['not-well']);
  });

  test('does on a root in memory, where a bind mount brings the folder from a disk', () => {
    const root = '30 1 0:30 / / rw - tmpfs none rw';
    const kept = '31 30 8:1 /state /var/lib/autark rw shared:3 - ext4 /dev/vda rw';
    expect(isOf([root, kept])).toEqual(['well']);
    // And the other way round: a folder of the disk, under a bind mount from memory.
    expect(isOf([disk, '31 30 0:31 /x /var/lib/autark rw - tmpfs none rw'])).toEqual(['not-well']);
    expect(isOf([root])).toEqual(['not-well']);
  });

  test('of an overlay its upper layer decides, wherever that lies', () => {
    const overlay = line(31, 30, '/var', 'overlay', 'rw,lowerdir=/l,upperdir=/up/per,workdir=/w');
    const memory = line(32, 30, '/up', 'tmpfs');
    const layers = { '/up/per': '/up/per' };
    expect(isOf([disk, overlay], undefined, layers)).toEqual(['well']);
    expect(isOf([disk, overlay, memory], undefined, layers)).toEqual(['not-well']);
    expect(fateOf([disk, overlay, memory], undefined, layers)).toMatchObject([
      { finding: { cause: expect.stringMatching(/upper layer \/up\/per lies on tmpfs at \/up$/) as string } },
    ]);
    // A container cannot see where its own layer is: that is not known, and not well.
    expect(isOf([overlay.replace(' /var ', ' / ')])).toEqual(['unknown']);
  });

  test('an overlay upon itself is not followed for ever', () => {
    const overlay = line(31, 30, '/var', 'overlay', 'rw,upperdir=/var/up');
    expect(isOf([disk, overlay], undefined, { '/var/up': '/var/up' })).toEqual(['unknown']);
  });

  test('must be writable where the agent writes', () => {
    const readOnly = line(31, 30, '/var', 'ext4').replace(' rw,nosuid ', ' ro,nosuid ');
    expect(isOf([disk, readOnly])).toEqual(['not-well']);
    const [found] = checkPersistence({
      kept: [{ what: 'agent.yaml', path: '/etc/autark/agent.yaml', real: '/var/x', isWritten: false }],
      mounts: parseMounts([disk, readOnly].join('\n')),
      layers: new Map(),
    });
    expect(found?.is).toBe('well');
  });

  test('is not known where the kernel or the path does not say', () => {
    const kept = [{ what: 'it', path: '/x', real: null, isWritten: true }];
    expect(checkPersistence({ kept, mounts: null, layers: new Map() }).map(({ is }) => is)).toEqual([
      'unknown',
    ]);
    expect(checkPersistence({ kept, mounts: parseMounts(disk), layers: new Map() })[0]?.is).toBe('unknown');
  });
});
