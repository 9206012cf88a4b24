import { cpSync, renameSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { forge } from '../rig/forged.ts';
import { describeWith } from '../rig/needs.ts';
import { approvalOf, ledgerOf, stepProgram, stepsRun } from '../rig/steps.ts';
import type { FileChange } from '../rig/world.ts';

const one = ['steps:', '  - name: prepare', '    run: steps/prepare'];
const prepare = { 'steps/prepare': stepProgram() };

/** What a record carries becomes the newest ledger: none may be less than the one before (S15). */
describeWith(['age'], 'a record that is made while the ledger is not what it was', () => {
  let fleet: Fleet;
  let host: FleetHost;
  beforeEach(async () => {
    fleet = await makeFleet('autark-ledger-older');
    host = await fleet.join('web1');
  });
  afterEach(() => fleet.world.remove());

  const cycle = async (
    motd: string,
    lines: readonly string[],
    files: Record<string, FileChange> = {},
    code = 0,
  ): Promise<string> => {
    await fleet.server.commit({
      files: { ...execHost('web1', motd), 'fleet.yaml': fleet.fleetYaml('web1', lines), ...files },
      subject: motd,
    });
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(code);
    return ran.stderr;
  };
  const kept = () => host.path('var/lib/autark/state');
  const aside = () => `${host.root}.state`;

  test.each(['older', 'gone'])('knows of every step that ran, though the copy here is %s', async (how) => {
    await cycle('hello', []);
    cpSync(kept(), aside(), { recursive: true });
    await cycle('two', one, prepare);
    expect(stepsRun(host)).toEqual(['prepare']);
    rmSync(kept(), { recursive: true });
    if (how === 'older') cpSync(aside(), kept(), { recursive: true });

    // No step is declared, so nothing asks the ledger before the record is made.
    await cycle('three', []);
    const { runs, begun } = await ledgerOf(fleet, host);
    expect(runs).toMatchObject([{ step: 'prepare', outcome: 'done' }]);
    expect(begun.seq).toBe(1);
    await cycle('four', one);
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], 'four']);
  });

  test('is settled later, where it was made without the server and without what Git had here', async () => {
    await cycle('hello', []);
    cpSync(kept(), aside(), { recursive: true });
    await cycle('two', one, prepare);
    expect((await host.autark(['hold', '--reason', 'a test'])).code).toBe(0);
    await cycle('held', one, {}, 10);
    expect((await host.autark(['resume'])).code).toBe(0);

    rmSync(kept(), { recursive: true });
    cpSync(aside(), kept(), { recursive: true });
    rmSync(host.path('var/lib/autark/git/fleet.git'), { recursive: true });
    const { remote } = fleet.world;
    renameSync(remote, `${remote}.away`);
    expect((await host.agent()).code).toBe(50);
    renameSync(`${remote}.away`, remote);
    expect(JSON.parse(host.journal())).toMatchObject({ unsettled: (await newest(host)).id });

    // The record that says so carries what is known again.
    await cycle('three', one, {}, 60);
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    expect((await host.records()).map(({ status }) => status.outcome.event)).toContain('resumed');
    expect([stepsRun(host), host.motd()]).toEqual([['prepare'], 'three']);
    expect((await ledgerOf(fleet, host)).runs).toMatchObject([{ step: 'prepare', outcome: 'done' }]);
    expect(JSON.parse(host.journal())).toMatchObject({ unsettled: null });
  });

  const forgeries: readonly [string, Record<string, FileChange>][] = [
    ['has a ledger that nobody can open', { 'ledger.age': 'age-encryption.org/v1\nrubbish\n' }],
    ['has none', { 'ledger.age': null }],
  ];
  test.each(forgeries)(
    'covers no longer everything, once the machine went on from a record that %s',
    async (_how, files) => {
      await cycle('hello', []);
      cpSync(kept(), aside(), { recursive: true });
      await forge(fleet.server, host, { files });
      expect((await host.resume()).code).toBe(0);
      await cycle('two', []);
      const { seq } = (await newest(host)).status;
      const { begun } = await ledgerOf(fleet, host);
      expect(begun.seq).toBeGreaterThan(1);
      expect(begun.seq).toBeLessThanOrEqual(seq);

      // Nor does a copy from a backup that was made when it still did.
      rmSync(kept(), { recursive: true });
      cpSync(aside(), kept(), { recursive: true });
      await cycle('three', one, prepare, 60);
      expect([stepsRun(host), host.motd()]).toEqual([[], 'two']);
      expect((await newest(host)).status.outcome.message).toContain('may have run before');
      const approval = await approvalOf(fleet, host, { name: 'prepare', run: 'steps/prepare' });
      await cycle('four', [...one, `    approved: ${JSON.stringify(approval)}`]);
      expect([stepsRun(host), host.motd()]).toEqual([['prepare'], 'four']);
    },
  );
});
