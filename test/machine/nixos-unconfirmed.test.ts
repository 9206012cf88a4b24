import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { journalsOnFailure } from '../rig/journals.ts';
import { type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { nixosFiles } from '../rig/nix.ts';
import { expectChain } from '../rig/sound.ts';

// One of them lasts until the watchdog has waited long enough: more than a minute.
/** nix.conf(5): builders are /bin/sh of the machine, and nothing is fetched. */
const nixConf = ['sandbox = false', 'build-users-group =', 'substituters =', ''].join('\n');
const profile = '/nix/var/nix/profiles/system';

/** A boot loader that boots its entry, as far as anybody here sees: /run is empty after a boot. */
const bootLoader = [
  '[Unit]',
  'DefaultDependencies=no',
  'Before=sysinit.target',
  'ConditionPathExists=/boot/entry',
  '[Service]',
  'Type=oneshot',
  `ExecStart=/bin/sh -c 'ln -s "$$(cat /boot/entry)" /run/current-system'`,
  '[Install]',
  'WantedBy=sysinit.target',
  '',
].join('\n');

const dropIn = '/etc/systemd/system/autark.service.d/broken.conf';
/** What every system but a broken one does about the agent's unit. */
const mending = `if [ -e ${dropIn} ]; then rm ${dropIn} && systemctl daemon-reload; fi`;
/** After it, no agent can be started any more. */
const breaking = [
  `mkdir -p ${dropIn.slice(0, dropIn.lastIndexOf('/'))}`,
  `printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >${dropIn}`,
  'systemctl daemon-reload',
  'systemctl stop autark.service',
].join('\n');

describeWith([...labNeeds, 'ext4'], 'a NixOS generation that nobody confirms', () => {
  let lab: Lab;
  let web1: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-unconfirmed-nix');
    web1 = await lab.join('web1', ['--system', 'nixos'], { disk: { megabytes: 256 } });
    await web1.put('/etc/nix/nix.conf', nixConf);
    await web1.put('/etc/systemd/system/boot-loader.service', bootLoader);
    await web1.must(['systemctl', 'enable', '--quiet', 'boot-loader.service']);
    const yaml = await lab.fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    expect(yaml).toContain('hosts:\n  web1:\n');
    // The watchdog has that much patience, and a minute.
    const quick = yaml.replace('  web1:\n', '  web1:\n    timeouts: { fetch: 5s, switch: 20s }\n');
    const files = { 'fleet.yaml': quick, ...systemOf('first', mending) };
    expect(await web1.settles(await lab.fleet.server.commit({ files, subject: 'first' }))).toBe('deployed');
  });
  afterAll(() => lab.remove());
  journalsOnFailure(() => [web1]);

  const systemOf = (motd: string, activation: string) => nixosFiles({ web1: { motd, activation } });
  const delivers = async (motd: string): Promise<void> => {
    const files = systemOf(motd, mending);
    expect(await web1.settles(await lab.fleet.server.commit({ files, subject: motd }))).toBe('deployed');
    expect(await web1.must(['cat', '/etc/motd'])).toBe(motd);
  };
  /** Brings a system that breaks the agent, and returns once its activation has ended: revision and store path. */
  const breaks = async (motd: string): Promise<{ revision: string; path: string }> => {
    const files = systemOf(motd, breaking);
    const revision = await lab.fleet.server.commit({ files, subject: motd });
    await vi.waitUntil(async () => (await web1.must(['cat', '/etc/motd'])) === motd, patience);
    const activations = ['list-units', '--plain', '--no-legend', 'autark-switch-*'];
    await vi.waitUntil(async () => (await web1.must(['systemctl', ...activations])) === '', patience);
    const path = await web1.must(['readlink', '-f', profile]);
    expect(await places()).toEqual([path, path, path, path]);
    return { revision, path };
  };
  /** What boots next, what runs, what the boot loader has, and what the agent has as current. */
  const places = async (): Promise<readonly string[]> => {
    const links = `readlink -f ${profile} /run/current-system; cat /boot/entry; readlink -f /var/lib/autark/current/system`;
    return (await web1.must(['sh', '-euc', links])).split('\n');
  };
  const wentBack = async (revision: string, before: string): Promise<void> => {
    const outcome = await web1.decides(revision);
    expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
    expect(outcome.message).toMatch(/was not confirmed in time/);
    const { system } = (await web1.records()).at(-1)?.status ?? {};
    expect(system?.path).toBe(before);
    expect(await places()).toEqual([before, before, before, before]);
    expect(await web1.must(['readlink', '/var/lib/autark/current'])).toBe(
      `generations/${system?.generation}`,
    );
    await web1.must(['nix-store', '--verify', '--check-contents']);
  };
  const runs = () => web1.must(['readlink', '-f', profile]);
  const watching = () =>
    web1.must(['systemctl', 'show', '--property=ActiveState', '--value', 'autark-watchdog.timer']);

  test('is gone back from by the watchdog, also when somebody collected all garbage meanwhile', async () => {
    const before = await runs();
    const { revision, path } = await breaks('breaks the agent');
    expect(path).not.toBe(before);
    await web1.must(['nix-collect-garbage', '--delete-old']);
    // The profile has forgotten the system before, which only the agent keeps now.
    const kept = `for each in ${profile}-*-link; do readlink "$each"; done`;
    expect(await web1.must(['sh', '-euc', kept])).toBe(path);
    await wentBack(revision, before);
    expect(await web1.must(['cat', '/etc/motd'])).toBe('first');
    await delivers('second');
  });

  test('gets two boots after power cuts, and is gone back from in the third', async () => {
    const before = await runs();
    const { revision, path } = await breaks('breaks the agent again');
    for (const boot of [1, 2]) {
      await web1.powerCut();
      await web1.boot();
      expect(await places(), `boot ${boot}`).toEqual([path, path, path, path]);
      expect(await watching(), `boot ${boot}`).toBe('active');
    }
    await web1.powerCut();
    await web1.boot();
    await wentBack(revision, before);
    expect(await watching()).toBe('inactive');
    expect(await web1.must(['cat', '/etc/motd'])).toBe('second');
  });

  test('leaves nothing that a reboot or a garbage collection brings to light', async () => {
    const before = await runs();
    await web1.must(['nix-collect-garbage', '--delete-old']);
    await web1.reboot();
    expect(await places()).toEqual([before, before, before, before]);
    await delivers('third');
    expectChain(await web1.records(), 'after both');
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });
});
