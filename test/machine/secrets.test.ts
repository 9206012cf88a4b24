import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serialiseGeneration } from '../../shared/cycle/parse-generation.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { makeMachineHost, type MachineHost, node } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';
import { makeSecretHost, type SecretHost } from '../rig/secret-store.ts';
import { type PageFlags, pageProgram, parsePageFlags, withSwap } from '../rig/swap.ts';

/** The units as `enroll` writes them. */
const install = `set -eu
for unit in autark-secrets.service autark-secrets-early.service autark-secret@.service run-autark-secrets.d.mount; do
  sed 's#@autark@#${node} /opt/autark/dist/agent/main.js#; s#@secret@#/var/lib/autark/autark-secret#' \
    /opt/autark/systemd/$unit >/etc/systemd/system/$unit
done
cp /opt/autark/systemd/autark-secret /var/lib/autark/
systemctl daemon-reload
systemctl --quiet enable autark-secrets.service autark-secrets-early.service
sync`;

describeWith(['nspawn', 'trixie', 'ext4'], 'secrets of a booted machine without a network', () => {
  let fleet: Fleet;
  let host: MachineHost;
  let maker: SecretHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-secrets');
    host = makeMachineHost(fleet, 'web1', { disk: { megabytes: 64 } });
    maker = await makeSecretHost({ root: mkdtempSync('/dev/shm/autark-test-') });
    await host.boot();
    await host.put('/var/lib/autark/key', readFileSync(maker.key, 'utf8'), '0600');
    await host.must(['sh', '-c', 'rm -f /etc/ssh/ssh_host_ed25519_key']);
    await host.must(['sh', '-c', install]);
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
    rmSync(maker.root, { recursive: true, force: true });
  });
  journalsOnFailure(() => [host]);

  /** A generation of the machine's with these secrets, made current. */
  const becomes = async (number: number, secrets: Parameters<SecretHost['place']>[0]): Promise<void> => {
    const id = valueOf(await maker.store.keep(secrets))?.id ?? '';
    const kept = `var/lib/autark/secrets/${id}.json`;
    await host.put(`/${kept}`, readFileSync(maker.at(kept), 'utf8'), '0600');
    const generation = serialiseGeneration({
      ...{ number, revision: 'a'.repeat(40), kind: 'exec', path: '/srv/system', digest: 'd' },
      secrets: id,
    });
    await host.put(`/var/lib/autark/generations/${number}/generation.json`, generation);
    const link = `ln -sfn generations/${number} /var/lib/autark/current && sync`;
    await host.must(['sh', '-c', link]);
  };
  const asks = (name: string) => host.run(['systemctl', 'start', `autark-secret@${name}.service`]);
  const said = (name: string): Promise<string> =>
    host.must(['journalctl', '--boot', '--output=cat', `--unit=autark-secret@${name}.service`]);
  const read = (path: string): Promise<string> => host.must(['cat', path]);

  test('are there once it has booted, in memory that is no swap’s, before anything needs them', async () => {
    await becomes(1, [
      await maker.secret('db', 'sesame', {
        path: '/etc/app/db',
        owner: 'later',
        group: 'later',
        mode: 0o440,
      }),
      await maker.secret('old', 'rusty', { path: '/etc/app/old' }),
      await maker.secret('torn', '', { sealed: Buffer.from('no age file') }),
    ]);
    await host.reboot();
    const units = 'autark-secrets.service autark-secrets-early.service';
    const limits = await host.must(['sh', '-c', `systemctl show --property=LimitCORE --value ${units}`]);
    expect(limits.split('\n').filter((line) => line !== '')).toEqual(['0', '0']);
    expect(await read('/run/autark/secrets/db')).toBe('sesame');
    expect(await read('/etc/app/db')).toBe('sesame');
    expect(await host.must(['stat', '--file-system', '--format=%T', '/run/autark/secrets/'])).toBe('ramfs');
    const at = async (unit: string, property: string): Promise<number> =>
      Number(await host.must(['systemctl', 'show', '--value', `--property=${property}Monotonic`, unit]));
    const placed = await at('autark-secrets-early.service', 'ExecMainExitTimestamp');
    expect(placed).toBeGreaterThan(0);
    expect(await at('sysinit.target', 'ActiveEnterTimestamp')).toBeGreaterThan(placed);
  });

  test('go to their owner when a unit asks; one that cannot be had fails it at once, with the reason', async () => {
    await host.must(['systemd-sysusers', '--inline', 'u later - -']);
    await host.must(['sync']);
    expect((await asks('db')).code).toBe(0);
    expect(await host.must(['stat', '--format=%U %G %a', '/run/autark/secrets/db'])).toBe('later later 440');
    expect((await asks('torn')).code).not.toBe(0);
    expect(await said('torn')).toContain('secret torn: ');
    expect((await asks('nobody')).code).not.toBe(0);
    expect(await said('nobody')).toContain('no such secret is declared for this machine');
  });

  test('are there again after a power cut', async () => {
    await host.powerCut();
    await host.boot();
    expect(await read('/etc/app/db')).toBe('sesame');
    expect(await read('/run/autark/secrets/old')).toBe('rusty');
    expect((await asks('db')).code).toBe(0);
  });

  test('a boot waits for none that cannot be had: what needs it fails with it, and the rest starts', async () => {
    const needing = `[Unit]
Requires=autark-secret@torn.service
After=autark-secret@torn.service
[Service]
ExecStart=/usr/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`;
    await host.put('/etc/systemd/system/needs-torn.service', needing);
    await host.must(['sh', '-c', 'systemctl --quiet enable needs-torn.service && sync']);
    await host.reboot();
    const show = async (unit: string, ...properties: readonly string[]): Promise<readonly string[]> => {
      const asked = properties.map((each) => `--property=${each}`);
      const shown = (await host.must(['systemctl', 'show', ...asked, unit])).split('\n');
      return properties.map(
        (each) => shown.find((line) => line.startsWith(`${each}=`))?.slice(each.length + 1) ?? '',
      );
    };
    // It ends with 1 where a unit failed, which one has to.
    expect((await host.run(['systemctl', 'is-system-running', '--wait'])).stdout.trim()).toBe('degraded');
    expect(await show('multi-user.target', 'ActiveState')).toEqual(['active']);
    const [state, result, from, until] = await show(
      'autark-secret@torn.service',
      ...['ActiveState', 'Result', 'InactiveExitTimestampMonotonic', 'InactiveEnterTimestampMonotonic'],
    );
    expect([state, result]).toEqual(['failed', 'exit-code']);
    expect(Number(from)).toBeGreaterThan(0);
    // In microseconds: it found that out by itself, and was not ended for waiting (30 s).
    expect(Number(until) - Number(from)).toBeLessThan(25_000_000);
    expect(await show('needs-torn.service', 'ActiveState', 'ExecMainStartTimestampMonotonic')).toEqual([
      'inactive',
      '0',
    ]);
    expect(await said('torn')).toContain('secret torn: ');
    expect((await asks('db')).code).toBe(0);
  });

  test('that the generation which boots no longer has are gone, and their links', async () => {
    await becomes(2, [await maker.secret('db', 'sesame', { path: '/etc/app/db' })]);
    await host.powerCut();
    await host.boot();
    expect(await host.must(['ls', '/run/autark/secrets/'])).toBe('db');
    expect(await host.must(['ls', '/etc/app'])).toBe('db');
    expect(await read('/etc/app/db')).toBe('sesame');
  });

  test('whose key is on a file system that is mounted later are there once it is, before anything needs them', async () => {
    const late = `[Unit]
DefaultDependencies=no
After=autark-secrets-early.service
Before=local-fs.target
[Mount]
What=/srv/key
Where=/var/lib/autark/key
Type=none
Options=bind
[Install]
WantedBy=local-fs.target
`;
    await host.put('/etc/systemd/system/var-lib-autark-key.mount', late);
    const moves = 'mv /var/lib/autark/key /srv/key && install -m 600 /dev/null /var/lib/autark/key';
    const enables = 'systemctl daemon-reload && systemctl --quiet enable var-lib-autark-key.mount && sync';
    await host.must(['sh', '-c', `${moves} && ${enables}`]);
    await host.reboot();
    expect(await read('/etc/app/db')).toBe('sesame');
    expect((await asks('db')).code).toBe(0);
    expect(
      await host.must(['journalctl', '--boot', '--output=cat', '--unit=autark-secrets-early.service']),
    ).toContain('/var/lib/autark/key');
  });

  test('never reach swap that is on, where a file in /dev/shm does as soon as the kernel writes it out', async () => {
    const [secret, other] = ['sesame-of-the-swap-test', 'other-of-the-swap-test'];
    const pages = async (path: string): Promise<PageFlags> =>
      parsePageFlags(await host.must(['perl', '-e', pageProgram, path]));
    await becomes(3, [await maker.secret('db', secret, { path: '/etc/app/db' })]);
    await host.reboot();
    await host.put('/dev/shm/other', other);
    await withSwap(64, async (swap) => {
      expect(await pages('/run/autark/secrets/db')).toEqual({ unevictable: true, swapBacked: false });
      expect(await pages('/dev/shm/other')).toEqual({ unevictable: false, swapBacked: true });
      await expect.poll(() => swap.has(other), patience).toBe(true);
      expect(swap.has(secret)).toBe(false);
    });
    expect(await read('/dev/shm/other')).toBe(other);
  });
});
