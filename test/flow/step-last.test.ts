import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { approvedDiskStep, type DiskStep } from '../rig/disk-step.ts';
import { tool } from '../rig/fake-disk.ts';
import { type Fleet, type FleetHost, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { ledgerOf, stepsRun } from '../rig/steps.ts';
import { program } from '../rig/world.ts';

describeWith(['age', 'disks'], 'a step that was approved, with all as it was', () => {
  let fleet: Fleet;
  let host: FleetHost;
  let [loop, other, link, bin] = ['', '', '', ''];
  let cycle: DiskStep['cycle'];
  let label: DiskStep['label'];
  beforeEach(async () => {
    ({
      fleet,
      host,
      disk: loop,
      other,
      link,
      bin,
      cycle,
      label,
    } = await approvedDiskStep('autark-step-last'));
  });
  afterEach(() => fleet.world.remove());

  const events = async () => (await host.records()).map(({ status }) => status.outcome.event);
  /** All that the newest record says of why. */
  const reasons = async () => {
    const { body, status } = await newest(host);
    return `${status.outcome.message ?? ''}\n${body}`;
  };
  const outcomes = async () => (await ledgerOf(fleet, host)).runs?.map(({ outcome }) => outcome);

  /** What happens on the machine as soon as the server has the record with which the step begins. */
  const onIntent = (script: string): void => {
    const hook = join(fleet.world.remote, 'hooks/post-receive');
    const event = 'git log -1 --format=%B "$new" | grep -q "^Autark-Event: step-started"';
    writeFileSync(
      hook,
      `#!/bin/sh\nPATH=/usr/sbin:/sbin:$PATH\nwhile read -r _ new _; do\n  ${event} || continue\n  ${script}\ndone\n`,
    );
    chmodSync(hook, 0o755);
  };

  test('is withdrawn when the disk is written to after it was backed up, and its approval is not used', async () => {
    const saved = host.path('saved');
    await tool('dd', `if=${loop}`, `of=${saved}`, 'bs=1M', 'status=none');
    onIntent(`mkfs.ext4 -q -F -L newest ${loop}`);
    await cycle(60);
    expect(await reasons()).toContain('its partitions or signatures are not those that were approved');
    expect([stepsRun(host), await label()]).toEqual([[], 'newest']);
    expect((await events()).slice(-2)).toEqual(['step-started', 'held']);
    expect(await outcomes()).toEqual(['withdrawn']);

    // As it was approved, it is still approved.
    onIntent('true');
    await tool('dd', `if=${saved}`, `of=${loop}`, 'bs=1M', 'status=none', 'conv=fsync');
    await cycle(0);
    expect([stepsRun(host), await label()]).toEqual([['format'], 'wiped']);
    expect(await outcomes()).toEqual(['withdrawn', 'done']);
  });

  test.each([
    ['its name leads to another disk', () => `ln -sfn ${other} ${link}`],
    ['it is mounted', () => `mkdir ${host.path('mnt')}; mount -o ro ${loop} ${host.path('mnt')}`],
    ['a loop device is over it', () => `losetup --find ${loop}`],
  ])('is withdrawn when %s by then', async (_what, script) => {
    onIntent(script());
    try {
      await cycle(60);
      expect(await reasons()).toMatch(
        /this is another disk: serial 5PAREN00|this disk is in use: \S+ is (mounted at|behind) /,
      );
    } finally {
      await tool('umount', host.path('mnt')).catch(() => undefined);
      for (const over of (await tool('losetup', '--noheadings', '--output', 'NAME,BACK-FILE')).split('\n')) {
        const [name = '', file] = over.trim().split(/\s+/);
        if (file === loop) await tool('losetup', '--detach', name);
      }
    }
    expect([stepsRun(host), await label(), await label(other)]).toEqual([[], 'precious', 'precious']);
    expect(await outcomes()).toEqual(['withdrawn']);
  });

  test('is withdrawn when somebody says `hold` just before it starts, and runs once that is over', async () => {
    onIntent(`${process.execPath} ${program} hold --root ${host.root} --reason wait >&2`);
    expect(await cycle(10)).toContain('wait');
    expect([stepsRun(host), await label()]).toEqual([[], 'precious']);
    expect(await outcomes()).toEqual(['withdrawn']);
    onIntent('true');
    expect((await host.autark(['resume'])).code).toBe(0);
    await cycle(0);
    expect([stepsRun(host), await label()]).toEqual([['format'], 'wiped']);
  });

  test('does not begin while its disk cannot be backed up (S17)', async () => {
    const fake = join(bin, 'sfdisk');
    writeFileSync(
      fake,
      '#!/bin/sh\ncase " $* " in *" --dump "*) echo no >&2; exit 5 ;; esac\n' +
        'PATH=/usr/sbin:/sbin:/usr/bin:/bin exec sfdisk "$@"\n',
    );
    chmodSync(fake, 0o755);
    await cycle(60);
    expect(await reasons()).toMatch(/sfdisk\b.*exited with code 5: no\b.*/);
    expect([stepsRun(host), await label()]).toEqual([[], 'precious']);
    expect(await events()).not.toContain('step-started');
    rmSync(fake);
    await cycle(0);
    expect(stepsRun(host)).toEqual(['format']);
  });

  test('has its backups in the record with which it begins, also those that this machine had lost', async () => {
    const folder = host.path('var/lib/autark/state/backups');
    const before = readdirSync(folder);
    expect(before).not.toEqual([]);
    for (const name of before) rmSync(join(folder, name));
    await cycle(0);
    expect([stepsRun(host), await label()]).toEqual([['format'], 'wiped']);
    const begun = (await host.records()).find(({ status }) => status.outcome.event === 'step-started');
    const kept = await fleet.server.git(['ls-tree', '--name-only', begun?.id ?? '', 'backups/']);
    expect(kept.split('\n')).toEqual(before.map((name) => `backups/${name}`));
    expect((await newest(host)).status.outcome.event).toBe('deployed');
  });
});
