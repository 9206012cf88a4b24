import { afterEach, beforeEach, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { reboots } from '../rig/reboots.ts';
import { makeSecretFleet, shownBy, type SecretFleet } from '../rig/secrets.ts';

/** What runs later, only for a while, or under another key. */
describeWith(['age'], 'secrets of a generation', () => {
  let fleet: SecretFleet;
  beforeEach(async () => {
    fleet = await makeSecretFleet();
  });
  afterEach(() => fleet.world.remove());

  const cycles = async (code = 0): Promise<void> => {
    const ran = await fleet.host.agent();
    expect(ran.code, ran.stderr).toBe(code);
  };
  const push = async (
    value: string,
    motd = 'hello',
    extra: readonly string[] = [],
    ref = 'refs/heads/main',
  ) => {
    const files = await fleet.files(['db-password: { hosts: [web1] }'], { 'db-password': value });
    const text = files['fleet.yaml'].replace('  web1:\n', () =>
      ['  web1:\n', ...extra.map((line) => `    ${line}\n`)].join(''),
    );
    return fleet.server.commit({ files: { ...files, 'fleet.yaml': text, ...execHost('web1', motd) }, ref });
  };
  const shown = (): string | undefined => shownBy(fleet.host)['db-password'];

  test('that runs from the next boot on come with that boot', async () => {
    await push('one');
    await cycles();
    await push('two', 'later', ['activate: boot']);
    await cycles();
    expect(shown()).toBe('one');
    // Nor does a cycle in between bring them.
    await cycles();
    expect(shown()).toBe('one');
    reboots(fleet.host);
    await cycles();
    expect(shown()).toBe('two');
  });

  test('that are too large to be opened are said to be that, not to be missing', async () => {
    const files = await fleet.files(['big: { hosts: [web1] }', 'db-password: { hosts: [web1] }'], {
      'db-password': 'one',
    });
    const big = 'x'.repeat(16 * 2 ** 20 + 1);
    await fleet.server.commit({ files: { ...files, 'secrets/big.age': big, ...execHost('web1', 'hello') } });
    await cycles(62);
    const { outcome } = (await newest(fleet.host)).status;
    expect(outcome.message).toMatch(/big.*secrets\/big\.age is larger/);
    expect(shown()).toBe('one');
  });

  test('that is only being tried are there for the trial, and no longer', async () => {
    await push('one');
    await cycles();
    await push('two', 'tried', [], 'refs/heads/testing/web1');
    await cycles();
    expect([fleet.host.motd(), shown()]).toEqual(['tried', 'two']);
    await fleet.server.git(['update-ref', '-d', 'refs/heads/testing/web1']);
    await cycles();
    expect([fleet.host.motd(), shown()]).toEqual(['hello', 'one']);
  });

  test('that was made under another key open under the new one', async () => {
    const { host, world } = fleet;
    await push('one');
    await cycles();
    await push('two');
    await cycles();
    const offered = await world.autark([
      'enroll',
      '--new-key',
      host.path('etc/autark/new_key'),
      '--root',
      host.root,
    ]);
    expect(offered.code, offered.stderr).toBe(0);
    const [print = ''] = offered.stdout.split('\n');
    await world.git(['pull', '--quiet']);
    await world.mustAutark(['approve', 'web1', '--replace', '--fingerprint', print, '--yes', '--push']);
    // `approve` sealed the value to the new key too, and the machine takes that.
    for (let round = 0; round < 3; round += 1) await host.agent();
    await cycles();
    expect((await newest(host)).status).toMatchObject({ outcome: { code: 0 } });
    // The same values under another key are no news.
    const { code, stderr } = await host.autark(['rollback', '--yes']);
    expect(code, stderr).toBe(0);
    expect(shown()).toBe('one');
  });
});
