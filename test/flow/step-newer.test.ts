import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';
import { expectAtRest } from '../rig/sound.ts';
import { stepProgram, stepsRun } from '../rig/steps.ts';
import { program } from '../rig/world.ts';

describeWith(['age'], 'a revision that comes while a step runs', () => {
  let fleet: Fleet;
  let host: FleetHost;
  beforeEach(async () => {
    fleet = await makeFleet('autark-step-newer');
    host = await fleet.join('web1');
  });
  afterEach(() => fleet.world.remove());

  const first = ['steps:', '  - { name: long, run: steps/long }'];
  const both = [...first, '  - { name: next, run: steps/next }'];
  const files = {
    'steps/long': stepProgram(
      'touch "$AUTARK_ROOT/begun"; until [ -e "$AUTARK_ROOT/go" ]; do sleep 0.1; done',
    ),
    'steps/next': stepProgram(),
  };
  const push = (motd: string, lines: readonly string[], key?: null) =>
    fleet.server.commit({
      files: { ...execHost('web1', motd), ...files, 'fleet.yaml': fleet.fleetYaml('web1', lines) },
      subject: motd,
      ...(key === undefined ? {} : { key }),
    });

  /** One call of `agent --once` that meets this while its first step runs: its exit code. */
  async function meanwhile(happens: () => Promise<unknown>): Promise<unknown> {
    const agent = spawn(process.execPath, [program, '--root', host.root, 'agent', '--once'], {
      env: fleet.world.env,
    });
    const ended = new Promise((resolve) => agent.once('exit', resolve));
    await expect.poll(() => existsSync(host.path('begun')), patience).toBe(true);
    await happens();
    writeFileSync(host.path('go'), '');
    return ended;
  }

  test('decides about the steps that follow: one that it withdraws does not begin', async () => {
    await push('hello', both);
    expect(await meanwhile(() => push('two', first))).toBe(0);
    expect([stepsRun(host), host.motd()]).toEqual([['long'], 'two']);
    const events = (await host.records()).map(({ status }) => status.outcome.event);
    expect(events).toEqual(['enrolled', 'step-started', 'step-done', 'deployed']);
    expectAtRest(host, events.join());
  });

  test('is refused before them where it is authentic and not valid (P1)', async () => {
    await push('hello', both);
    expect(await meanwhile(() => push('two', [...first, 'nonsense: true']))).toBe(21);
    expect([stepsRun(host), host.motd()]).toEqual([['long'], null]);
  });

  test('stops nothing where nobody of the fleet signed it: a server cannot keep a step from running so', async () => {
    await push('hello', both);
    expect(await meanwhile(() => push('two', first, null))).toBe(0);
    expect([stepsRun(host), host.motd()]).toEqual([['long', 'next'], 'hello']);
  });
});
