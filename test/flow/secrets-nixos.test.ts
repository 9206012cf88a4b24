import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { keyAt, newest } from '../rig/fleet.ts';
import { relink } from '../rig/links.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { run } from '../rig/run.ts';
import { inMemory, sealWithAge, shownBy } from '../rig/secrets.ts';

const value = (): string => randomBytes(24).toString('hex');

/** NixOS has a boot menu: what boots may be an older generation, and opens its own secrets (S14). */
describeWith(['age', 'nix'], 'the secrets of a NixOS system that boots', () => {
  let fleet: NixosFleet;
  const paths: string[] = [];
  /** They are found nowhere by chance. */
  const values = { one: value(), two: value(), three: value() };
  beforeAll(async () => {
    fleet = await makeNixosFleet(inMemory);
    const { server, host } = fleet;
    const key = formatPublicKey(keyAt(host.path('var/lib/autark/key')).publicBlob);
    const yaml = `${fleet.fleetYaml('web1')}\nsecrets:\n  token: { hosts: [web1] }\n`;
    // The third has another value, and the same system as the second.
    for (const [motd, value] of [
      ['first', values.one],
      ['second', values.two],
      ['second', values.three],
    ] as const) {
      const sealed = { 'fleet.yaml': yaml, 'secrets/token.age': await sealWithAge(value, [key]) };
      await server.commit({ files: { ...nixosFiles({ web1: { motd, fixed: true } }), ...sealed } });
      const { code, stderr } = await host.agent();
      expect(code, stderr).toBe(0);
      expect(shownBy(host)).toEqual({ token: value });
      paths.push(host.current() ?? '');
    }
    expect(new Set(paths).size).toBe(2);
  });
  beforeEach(() => {
    rmSync(fleet.host.path('run'), { recursive: true, force: true });
    mkdirSync(fleet.host.path('run'));
  });
  afterAll(() => fleet.world.remove());

  const install = async (...args: readonly string[]) => {
    const { code, stderr } = await fleet.host.autark(['secrets', 'install', ...args]);
    expect(code, stderr).toBe(0);
    return shownBy(fleet.host)['token'];
  };

  test('are its own: of an older one, and of the newest of two that differ in their secrets alone', async () => {
    const [first = '', second = ''] = paths;
    const runs = fleet.host.path('run/current-system');
    // Early in a boot NixOS has not made that link yet, and its activation says what boots.
    expect(await install('--early', '--system', first)).toBe(values.one);
    symlinkSync(first, runs);
    expect(await install('--system', runs)).toBe(values.one);
    relink(fleet.host, 'run/current-system', second);
    expect(await install('--system', runs)).toBe(values.three);
  });

  test('are those of the current generation where nobody says, and where no generation has what boots', async () => {
    symlinkSync('/nix/store/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee-by-hand', fleet.host.path('run/other'));
    for (const args of [
      [],
      ['--system', fleet.host.path('run/other')],
      ['--system', fleet.host.path('run/none')],
    ])
      expect(await install(...args)).toBe(values.three);
  });

  test('stay its own while the agent finds that an older one runs, and says so', async () => {
    symlinkSync(paths[0] ?? '', fleet.host.path('run/current-system'));
    for (let cycle = 1; cycle <= 2; cycle += 1) {
      const { code, stderr } = await fleet.host.agent();
      expect(code, stderr).toBe(0);
      // Also where no unit had placed them.
      expect(shownBy(fleet.host)).toEqual({ token: values.one });
    }
    expect((await newest(fleet.host)).status.outcome.event).toBe('drifted');
  });

  test('are in no store, generation, record or journal, only where they are placed', async () => {
    const { dir, env } = fleet.world;
    const found = async (...texts: readonly string[]): Promise<readonly string[]> => {
      const each = texts.flatMap((text) => ['-e', text]);
      const ran = await run('grep', ['-rlF', '--text', ...each, dir], { env });
      return ran.stdout.split('\n').filter(Boolean);
    };
    expect(await install()).toBe(values.three);
    const places = await found(...Object.values(values));
    expect(places.map((path) => path.slice(fleet.host.path('run/autark/').length))).toEqual([
      expect.stringMatching(/^secrets\.d\/\d+\/token$/),
    ]);
    // What is looked for would be found: the store has the sealed file, and the systems.
    const sealed = (await fleet.server.git(['show', 'main:secrets/token.age'])).split('\n')[1] ?? '';
    expect((await found(sealed)).some((path) => path.includes('/nix/'))).toBe(true);
  });
});
