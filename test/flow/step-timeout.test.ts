import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeFleet, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { allGone, isRunning } from '../rig/processes.ts';
import { ledgerOf, stepProgram, stepsRun } from '../rig/steps.ts';

describeWith(['age'], 'a step that takes longer than its `timeout`', () => {
  test('is ended with all that it started, counts as failed (61), and does not run again', async () => {
    const fleet = await makeFleet('autark-step-timeout');
    try {
      const host = await fleet.join('web1');
      const hangs = stepProgram('echo $$ >"$AUTARK_ROOT/pid"; echo begun; sleep 5000 & sleep 5000');
      const steps = ['steps: [{ name: slow, run: steps/slow, timeout: 5s }]'];
      await fleet.server.commit({
        files: {
          ...execHost('web1', 'hello'),
          'fleet.yaml': fleet.fleetYaml('web1', steps),
          'steps/slow': hangs,
        },
      });
      for (let cycle = 0; cycle < 2; cycle += 1) expect((await host.agent()).code).toBe(61);
      expect([stepsRun(host), host.motd()]).toEqual([['slow'], null]);
      expect((await newest(host)).status.outcome.message).toMatch(/slow .*took longer than 5 s/);
      expect((await ledgerOf(fleet, host)).runs).toMatchObject([{ outcome: 'failed', output: 'begun\n' }]);
      expect(isRunning(Number(readFileSync(host.path('pid'), 'utf8')))).toBe(false);
      await allGone(host.root);
    } finally {
      await fleet.world.remove();
    }
  });
});
