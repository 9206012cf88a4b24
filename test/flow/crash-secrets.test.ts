import { afterAll, beforeAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { describeWith } from '../rig/needs.ts';
import { endAll } from '../rig/processes.ts';
import { isThere, makeSecretFleet, type SecretFleet, shownBy } from '../rig/secrets.ts';
import { type Scenario, stopAndMend, stopAt, takeSnapshot, type Snapshot } from '../rig/stops.ts';

/** A host with two secrets in their places, and a revision that changes one, removes one and adds one. */
describeWith(['age'], 'a deployment of other secrets', () => {
  let fleet: SecretFleet;
  let scenario: Scenario;
  let snapshot: Snapshot;
  beforeAll(async () => {
    fleet = await makeSecretFleet();
    const { host } = fleet;
    const place = (name: string): string => `${name}: { hosts: [web1], path: /etc/app/${name} }`;
    const commit = async (motd: string, values: Readonly<Record<string, string>>) =>
      fleet.server.commit({
        files: { ...execHost('web1', motd), ...(await fleet.files(Object.keys(values).map(place), values)) },
      });
    await commit('one', { changes: 'old', goes: 'old' });
    const { code, stderr } = await host.agent();
    expect(code, stderr).toBe(0);
    const after = { changes: 'new', comes: 'new' };
    const revision = await commit('two', after);
    scenario = {
      ...{ fleet, host, revision, may: ['one', 'two'], code: 0, motd: 'two', event: 'deployed' },
      also(because) {
        expect(shownBy(host), because).toEqual(after);
        const links = ['changes', 'comes', 'goes'].map((name) => isThere(host.path('etc/app', name)));
        expect(links, because).toEqual([true, true, false]);
      },
    };
    snapshot = takeSnapshot(fleet.world, host);
  });
  afterAll(async () => {
    endAll(fleet.world.dir);
    await fleet.world.remove();
  });

  test('is finished by the next cycle, before or after whatever effect on secrets it was stopped', async () => {
    const { host } = fleet;
    const whole = await stopAt(host, ['agent'], { when: 'after', at: 100_000 }, fleet.world.env);
    const effects = whole.stdout.trimEnd().split('\n');
    const about = effects.flatMap((effect, index) =>
      / (secrets\.|systems\.setCurrent|activations\.)/.test(effect) ? [index + 1] : [],
    );
    // Opened and kept, placed, owners given, units told, what is wrong looked at, old ones removed.
    expect(about.length, effects.join('\n')).toBeGreaterThan(6);
    for (const when of ['before', 'after'] as const) {
      for (const at of about) {
        snapshot.restore();
        expect(await stopAndMend(scenario, { when, at })).toBe(true);
      }
    }
  });
});
