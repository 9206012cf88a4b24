import { expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { stepProgram, stepsRun } from '../rig/steps.ts';

describeWith(['age'], 'a revision that is only tried', () => {
  test('runs no step, and is refused while one is not done', async () => {
    const fleet = await makeDeployed('autark-steps-trial');
    const { host } = fleet;
    try {
      const yaml = fleet.fleetYaml('web1', ['steps: [{ name: prepare, run: steps/prepare }]']);
      const files = { ...execHost('web1', 'tried'), 'fleet.yaml': yaml, 'steps/prepare': stepProgram() };
      await fleet.server.commit({ files, ref: 'refs/heads/testing/web1' });
      expect((await host.agent()).code).toBe(60);
      expect([stepsRun(host), host.motd()]).toEqual([[], 'hello']);
      expect((await newest(host)).status.outcome.message).toContain(
        'no step runs for a revision that is only tried',
      );
    } finally {
      await fleet.world.remove();
    }
  });
});
