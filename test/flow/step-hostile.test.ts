import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Ledger } from '../../shared/record/ledger.ts';
import type { ExaminedDevice, StepRun } from '../../shared/record/step-run.ts';
import { forge } from '../rig/forged.ts';
import { describeWith } from '../rig/needs.ts';
import { disk, makeSealedFleet, type SealedFleet } from '../rig/sealed-state.ts';
import { stepProgram } from '../rig/steps.ts';
import { onTerminal } from '../rig/terminal.ts';

const path = '/dev/disk/by-id/ata-EVIL_S5Y1';

/** As the host saw it: free, with a model that a terminal would obey. */
const seen = {
  at: '2026-11-29T00:00:00Z',
  seen: {
    disk: { ...disk, uses: [] },
    ...{ layout: '1'.repeat(64), samples: '2'.repeat(64), looks: 'data', isExclusive: true, found: [] },
  },
} satisfies ExaminedDevice;

const failed: StepRun = {
  ...{ step: 'format', approval: 'a'.repeat(32), outcome: 'failed', program: '3'.repeat(40) },
  ...{ revision: '4'.repeat(40), began: '2026-11-28T00:00:00Z', how: 'it exited with code 1' },
  output: 'one\n\u001b]0;title\u0007two \u001b[2Jthree\u202e\n',
};

const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describeWith(['age'], 'a person who is to approve a step', () => {
  let fleet: SealedFleet;
  let before: string;
  beforeAll(async () => void (fleet = await makeSealedFleet()));
  beforeEach(async () => {
    const steps = [`steps: [ { name: format, run: steps/format, destroys: [${path}] } ]`];
    await fleet.server.commit({
      files: { 'fleet.yaml': fleet.fleetYaml('web1', steps), 'steps/format': stepProgram() },
    });
    await fleet.world.git(['pull', '--quiet']);
    before = yaml();
  });
  afterEach(async () => {
    await fleet.reset();
    await fleet.world.git(['fetch', '--quiet', '--prune']);
    await fleet.world.git(['reset', '--quiet', '--hard', fleet.introduced]);
  });
  afterAll(() => fleet.world.remove());

  const yaml = () => readFileSync(join(fleet.world.clone, 'fleet.yaml'), 'utf8');
  const approve = (...more: readonly string[]) =>
    fleet.autark('step', 'approve', 'web1', 'format', '--serial', 'S5Y1', ...more);
  const says = async (change: Partial<Ledger>) =>
    fleet.record({ 'ledger.age': await fleet.sealedLedger(change) });
  const refused = async (code: number, said: RegExp) => {
    const ran = await approve();
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toMatch(said);
    expect(yaml()).toBe(before);
  };

  test('is told what is on the disk and how the last run ended, and obeys none of it', async () => {
    await says({ examined: { [path]: seen }, runs: [failed] });
    const ran = await approve();
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).not.toMatch(controls);
    for (const said of ['EVIL disk', 'S5Y1', 'LIKE DATA', '“boot”', 'failed: it exited with code 1'])
      expect(ran.stderr).toContain(said);
    expect(ran.stderr).toContain('\n  | one\n  | two three\n');
    // One more run than none: the approval says so, and counts for no other state of things.
    expect(yaml()).toMatch(/approved: \{.*runs: 1,/);
  });

  test('is shown what a step wrote as text on a terminal, and byte for byte elsewhere', async () => {
    await says({ runs: [failed] });
    const call = ['ledger', 'show', 'web1', '--step', 'format'];
    expect((await fleet.autark(...call)).stdout).toBe(failed.output);
    const shown = await onTerminal(fleet.world, call);
    expect(shown.code, shown.stdout).toBe(0);
    expect(shown.stdout).toContain('one\ntwo three\n');
    expect(shown.stdout).not.toMatch(controls);
  });

  test('approves nothing by the ledger of another host or fleet', async () => {
    const examined = { [path]: seen };
    await says({ examined, host: 'web2' });
    await refused(20, /not the ledger of web1: it is that of the host web2/);
    await says({ examined, fleet: 'f'.repeat(32) });
    await refused(20, /not the ledger of web1: it is that of the fleet f+/);
  });

  test('approves nothing by a record that the host did not sign', async () => {
    const ledger = await fleet.sealedLedger({ examined: { [path]: seen } });
    await forge(fleet.server, fleet.host, { files: { 'ledger.age': ledger }, key: fleet.outsider });
    await refused(20, /nothing is opened of web1, for its newest record is not good/);
  });

  test('approves nothing by an older record than one that was seen', async () => {
    await says({ examined: { [path]: seen } });
    const old = await fleet.server.git(['rev-parse', 'refs/heads/state/web1']);
    await says({ examined: {}, runs: [failed] });
    await refused(60, /has not reported this disk yet/);
    await fleet.server.git(['update-ref', 'refs/heads/state/web1', old]);
    await refused(20, /newest record is not good/);
  });

  test.each<[string, ExaminedDevice, RegExp]>([
    [
      'could not be looked at',
      { at: seen.at, failed: 'no \u001b[1mmedium' },
      /could not look at this disk: no m/,
    ],
    [
      'has no serial number',
      { ...seen, seen: { ...seen.seen, disk: { ...seen.seen.disk, serial: null } } },
      /no serial number that tells it from others/,
    ],
    [
      'has the serial number of every emulated one',
      { ...seen, seen: { ...seen.seen, disk: { ...seen.seen.disk, serial: 'QM00001' } } },
      /no serial number that tells it from others \(QM00001\)/,
    ],
    ['is mounted', { ...seen, seen: { ...seen.seen, disk } }, /in use: sda1 is mounted at \/boot/],
    ['is open', { ...seen, seen: { ...seen.seen, isExclusive: false } }, /in use: something has it open/],
  ])('approves nothing where a disk %s', async (_, device, said) => {
    await says({ examined: { [path]: device } });
    await refused(60, said);
    expect((await approve()).stderr).not.toMatch(controls);
  });

  test('approves nothing for a step that is done, or by serial numbers that are others or too many', async () => {
    await says({ examined: { [path]: seen }, runs: [{ ...failed, outcome: 'done' }] });
    await refused(60, /does not do it a second time .*another name/);
    await says({ examined: { [path]: seen } });
    for (const serial of ['S5Y1', 's5y1']) {
      const ran = await approve('--serial', serial);
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      expect(ran.stderr).toContain('are not those of the disks');
    }
    expect(yaml()).toBe(before);
  });

  test('leaves no declared step to the next machine by a ledger that does not go back to the first record', async () => {
    await says({ begun: { seq: 7, installation: 'f'.repeat(32) } });
    const made = await fleet.enrol('web1', 'new-web1');
    await fleet.world.git(['pull', '--quiet']);
    const ran = await fleet.autark('approve', 'web1', '--replace', '--fingerprint', made.fingerprint);
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('the ledger of web1 began with record 7');
    expect(yaml()).toMatch(/^ +done: *(\[ *format *\]|\n +- format)$/m);
  });

  test('approves no program that cannot be run', async () => {
    await says({ examined: { [path]: seen } });
    await fleet.server.commit({ files: { 'steps/format': '#!/bin/sh\n' } });
    await fleet.world.git(['pull', '--quiet']);
    await refused(1, /steps\/format is no executable file .*chmod \+x/);
  });
});
