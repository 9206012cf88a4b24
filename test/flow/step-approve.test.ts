import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { StepApproval } from '../../shared/disk/approval.ts';
import { talk } from '../rig/dialogue.ts';
import { execHost } from '../rig/exec-system.ts';
import { fakeMachine, loopDevice, tool } from '../rig/fake-disk.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { ledgerOf, stepProgram, stepsRun } from '../rig/steps.ts';

const serial = 'S3R1ALN0';
const id = `ata-DISK_${serial}`;
const device = `/dev/disk/by-id/${id}`;

describeWith(['age', 'disks'], 'a step that destroys', () => {
  let fleet: Fleet;
  let host: FleetHost;
  let loop: string;
  let searchPath: string;
  beforeEach(async () => {
    fleet = await makeFleet('autark-step-approve');
    host = await fleet.join('web1');
    loop = await loopDevice(64);
    ({ searchPath } = fakeMachine([{ loop, model: 'A\u001b[31m DISK', serial, ids: [id] }]));
    const byId = host.path('dev/disk/by-id');
    mkdirSync(byId, { recursive: true });
    symlinkSync(`../../../../../../../../../../../../dev/${basename(loop)}`, join(byId, id));
  });
  afterEach(() => fleet.world.remove());

  const steps = [
    ...['# What the disks are for.', 'steps:', '  - name: format # once', '    run: steps/format'],
    ...['    files: [steps/label]', `    destroys: [${device}]`, '    # its end'],
  ];
  const push = async (motd: string, files = {}): Promise<void> => {
    const format = stepProgram(`mkfs.ext4 -q -L "$(cat steps/label)" ${loop}`);
    await fleet.server.commit({
      files: {
        ...{ ...execHost('web1', motd), 'fleet.yaml': fleet.fleetYaml('web1', steps) },
        ...{ 'steps/format': format, 'steps/label': 'one', ...files },
      },
      subject: motd,
    });
  };
  const cycle = async (code: number): Promise<string> => {
    const ran = await host.agent({ env: { PATH: searchPath, LVM_SYSTEM_DIR: host.root } });
    expect(ran.code, ran.stderr).toBe(code);
    return ran.stderr;
  };
  const approve = async (...more: readonly string[]) => {
    await fleet.world.git(['pull', '--quiet']);
    return fleet.world.autark(['step', 'approve', 'web1', 'format', ...more]);
  };
  const label = () => tool('blkid', '-p', '-s', 'LABEL', '-o', 'value', loop).catch(() => '');
  const yaml = () => readFileSync(join(fleet.world.clone, 'fleet.yaml'), 'utf8');

  test('waits until a person typed the serial number of what it destroys, and runs once', async () => {
    await tool('mkfs.ext4', '-q', '-L', 'precious', loop);
    await push('hello');
    const early = await approve('--serial', serial);
    expect(early.code).toBe(1);
    expect(early.stderr).toContain('web1 has no ledger yet');

    await cycle(60);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'held', code: 60 });
    expect((await newest(host)).status.outcome.message).toContain(
      'nobody approved this step on this machine',
    );
    expect(await label()).toBe('precious');

    // Without a terminal the serial number is an option, and another one is refused.
    for (const [args, said] of [
      [[], 'without a terminal step approve needs --serial for each disk'],
      [['--yes'], 'without a terminal step approve needs --serial for each disk'],
      [['--serial', 'OTHER'], 'are not those of the disks'],
    ] as const) {
      const refused = await approve(...args);
      expect(refused.code).not.toBe(0);
      expect(refused.stderr).toContain(said);
    }
    const before = yaml();
    await fleet.world.git(['pull', '--quiet']);
    const wrong = await talk(
      fleet.world,
      ['step', 'approve', 'web1', 'format'],
      [['serial number', 'S3R1\r']],
    );
    expect(wrong.code).toBe(1);
    expect(yaml()).toBe(before);

    const right = await talk(
      fleet.world,
      ['step', 'approve', 'web1', 'format', '--push'],
      [['Type the serial number', `${serial}\r`]],
    );
    expect(right.code, right.shown).toBe(0);
    for (const said of ['LIKE DATA', serial, '“precious”', '64 MiB', 'used', 'by nobody', 'It never ran'])
      expect(right.shown).toContain(said);
    expect(right.shown).not.toContain('\u001b[31m');

    // One commit; the rest of the file is what it was, to the letter.
    const lines = yaml().split('\n');
    const added = lines.filter((line) => !before.split('\n').includes(line));
    expect(added).toHaveLength(1);
    expect(lines.filter((line) => line !== added[0]).join('\n')).toBe(before);
    const { approved } = parse(`${added[0]?.trim() ?? ''}\n`) as { readonly approved: StepApproval };
    const program = await fleet.server.git(['rev-parse', 'refs/heads/main:steps/format']);
    expect(approved).toMatchObject({
      program,
      runs: 0,
      devices: [{ path: device, serial, size: 64 * 2 ** 20 }],
    });
    expect(approved.installation).toBe((await newest(host)).status.installation);

    await cycle(0);
    expect([stepsRun(host), host.motd(), await label()]).toEqual([['format'], 'hello', 'one']);
    const { runs, backups } = await ledgerOf(fleet, host);
    expect(runs).toMatchObject([{ step: 'format', outcome: 'done', approval: approved.id }]);
    expect(Object.keys(backups)).toContain('filesystems');

    await push('two', { 'steps/label': 'two' });
    await cycle(0);
    expect([stepsRun(host), host.motd(), await label()]).toEqual([['format'], 'two', 'one']);
    const again = await approve('--serial', serial);
    expect(again.stderr).toContain('has done the step format, and does not do it a second time');
  });

  test('does not run once the disk, its layout or its program is another one than was approved', async () => {
    await tool('mkfs.ext4', '-q', '-L', 'precious', loop);
    await push('hello');
    await cycle(60);
    expect((await approve('--serial', serial, '--push')).code).toBe(0);
    const approved = yaml();

    // Somebody writes to it after it was approved.
    await tool('mkfs.ext4', '-q', '-F', '-L', 'newer', loop);
    expect(await cycle(60)).toContain('its partitions or signatures are not those that were approved');
    expect([stepsRun(host), await label()]).toEqual([[], 'newer']);

    // Approved as it is now, and then the program becomes another one.
    const anew = await approve('--serial', serial, '--push');
    expect(anew.code, anew.stderr).toBe(0);
    expect(yaml()).not.toBe(approved);
    await fleet.server.commit({ files: { 'steps/label': 'other' }, subject: 'another label' });
    expect(await cycle(60)).toContain('the files that the program reads are not the ones that were approved');

    // In use: mounted by whoever needs it. Nobody can even approve that.
    const mount = host.path('mnt');
    mkdirSync(mount);
    await tool('mount', '-o', 'ro', loop, mount);
    try {
      await fleet.server.commit({ files: { note: '1' } });
      await cycle(60);
      const used = await approve('--serial', serial);
      expect(used.code).toBe(60);
      expect(used.stderr).toContain('this disk is in use');
    } finally {
      await tool('umount', mount);
    }
    expect([stepsRun(host), await label()]).toEqual([[], 'newer']);
  });

  test('cannot be approved for a disk that looks random: it may be encrypted', async () => {
    await tool('dd', 'if=/dev/urandom', `of=${loop}`, 'bs=1M', 'count=64', 'conv=fsync');
    const whole = await tool('sha256sum', loop);
    await push('hello');
    await cycle(60);
    const refused = await approve('--serial', serial, '--push');
    expect(refused.code).toBe(60);
    expect(refused.stderr).toMatch(/looks random: it may be encrypted .*blkdiscard --zeroout/);
    expect(await tool('sha256sum', loop)).toBe(whole);
    // Erased by hand, as that says, it is blank, and anybody's.
    await tool('blkdiscard', '--zeroout', loop);
    await cycle(60);
    expect((await approve('--serial', serial, '--push')).code).toBe(0);
    await cycle(0);
    expect([stepsRun(host), await label()]).toEqual([['format'], 'one']);
  });

  test('is inherited by the machine that takes its name', async () => {
    await push('hello');
    await cycle(60);
    expect((await approve('--serial', serial, '--push')).code).toBe(0);
    await cycle(0);
    expect(stepsRun(host)).toEqual(['format']);

    // One that the old machine never came to is the new one's to do; what it did counts also while it is not declared.
    const more = ['steps:', '  - { name: other, run: steps/other }'];
    await fleet.server.commit({
      files: { 'fleet.yaml': fleet.fleetYaml('web1', more), 'steps/other': stepProgram() },
    });
    const fresh = await fleet.enrol('web1', 'web1-new');
    await fleet.world.git(['pull', '--quiet']);
    const call = ['approve', 'web1', '--replace', '--fingerprint', fresh.fingerprint, '--yes', '--push'];
    await fleet.world.mustAutark(call);
    expect((parse(yaml()) as { hosts: { web1: { done: unknown } } }).hosts.web1.done).toEqual(['format']);
    const ran = await fresh.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect([stepsRun(fresh), fresh.motd()]).toEqual([['other'], 'hello']);
    const again = yaml().replace(/^( +)- \{ name: other/m, `$1- { name: format, run: steps/format }\n$&`);
    await fleet.server.commit({ files: { 'fleet.yaml': again } });
    expect((await fresh.agent()).code).toBe(0);
    expect(stepsRun(fresh)).toEqual(['other']);
  });
});

describeWith(['age'], 'a step that destroys nothing', () => {
  test('is shown with what it wrote and yielded, to a reader', async () => {
    const fleet = await makeFleet('autark-step-shown');
    try {
      const host = await fleet.join('web1');
      const yaml = fleet.fleetYaml('web1', ['steps: [{ name: account, run: steps/account }]']);
      const account = stepProgram('echo "made one"; printf "hunter2" >"$AUTARK_YIELD/password"');
      await fleet.server.commit({
        files: { ...execHost('web1', 'x'), 'fleet.yaml': yaml, 'steps/account': account },
      });
      expect((await host.agent()).code).toBe(0);
      await fleet.world.git(['pull', '--quiet']);
      const show = (...args: readonly string[]) => fleet.world.autark(['ledger', 'show', 'web1', ...args]);
      expect((await show()).stdout).toMatch(
        /^steps +account +\S+, done: it exited with code 0, unapproved, yielded password$/m,
      );
      expect((await show('--step', 'account')).stdout).toBe('made one\n');
      expect((await show('--step', 'account', '--yielded', 'password')).stdout).toBe('hunter2');
      expect((await show('--step', 'account', '--yielded', 'other')).stderr).toContain('it yielded password');
      expect((await show('--step', 'other')).stderr).toContain('web1 never ran a step other');

      // From a group it cannot be approved: that is for one machine alone.
      writeFileSync(join(fleet.world.clone, 'note'), '');
      const shared = fleet
        .fleetYaml('web1', ['groups: [g]'])
        .replace('groups:\n', 'groups:\n  g: { steps: [{ name: s, run: steps/account }] }\n');
      await fleet.server.commit({ files: { 'fleet.yaml': shared } });
      await fleet.world.git(['pull', '--quiet']);
      const refused = await fleet.world.autark(['step', 'approve', 'web1', 's', '--yes']);
      expect(refused.stderr).toContain('comes from defaults or a group, and an approval is for one machine');
    } finally {
      await fleet.world.remove();
    }
  });
});
