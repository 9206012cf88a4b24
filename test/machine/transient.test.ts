import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { patience } from '../rig/lab.ts';
import { joinMachine, type MachineHost, node } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

const folder = '/etc/systemd/system';
const shipped = readFileSync(join(import.meta.dirname, '../../systemd/autark.service'), 'utf8');
const unit = shipped.replace('@autark@', `${node} /opt/autark/dist/agent/main.js`);

/** A build whose activation is the script `switch` beside it, with what else is there in `files`. */
const build = [
  '#!/bin/sh',
  'set -e',
  'mkdir "$out/bin"',
  'cp -r files "$out/files"',
  'cp switch "$out/bin/switch-to-configuration"',
  'chmod 755 "$out/bin/switch-to-configuration"',
  '',
].join('\n');
const switching = (...script: readonly string[]) => ({
  executable: ['#!/bin/sh', 'set -e', ...script, ''].join('\n'),
});
/** As a switch of NixOS does with a unit that the system before did not have. */
const bringing = switching(
  'sleep 1',
  `cp "\${0%/bin/*}/files/autark.service" ${folder}/autark.service`,
  'systemctl daemon-reload',
  'systemctl enable --quiet autark.service',
  'systemctl start autark.service',
  'sleep 1',
);

describeWith(['nspawn', 'trixie'], 'a NixOS machine whose configuration has no agent yet', () => {
  let fleet: Fleet;
  let host: MachineHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-transient');
    await push('one', switching(':'));
    host = await joinMachine(fleet, 'web1', ['--system', 'exec', '--build', 'build']);
    await host.put('/etc/NIXOS', '');
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  const push = (word: string, activation: ReturnType<typeof switching>): Promise<string> =>
    fleet.server.commit({
      files: {
        build: { executable: build },
        switch: activation,
        ...{ 'files/word': word, 'files/autark.service': unit },
      },
      subject: word,
    });
  const settles = (revision: string): Promise<string> =>
    vi.waitUntil(async () => {
      const { parents, status } = (await host.records()).at(-1) ?? {};
      return parents?.[1] === revision && status?.outcome.event;
    }, patience);
  const show = (of: string, property: string): Promise<string> =>
    host.must(['systemctl', 'show', `--property=${property}`, '--value', of]);
  // Brackets: whatever runs this has them in its own command line, and is not meant.
  const agents = async (): Promise<string[]> =>
    (await host.run(['pgrep', '--full', '[m]ain.js agent'])).stdout.trim().split('\n').filter(Boolean);

  test('enroll starts an agent with the directives of the shipped unit, and prints what the configuration needs', async () => {
    const { code, stderr } = await host.autark(['enroll']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('services.autark = {');
    expect(stderr).toContain('host = "web1";');
    expect(stderr).toMatch(/systemctl status autark-enroll.*\n.*After a reboot.*`autark enroll` again/s);
    expect((await host.run(['find', folder, '-name', 'autark*'])).stdout).toBe('');
    expect(await show('autark-enroll.service', 'ActiveState')).toBe('active');
    const alike = ['Type', 'Restart', 'RestartUSec', 'WatchdogUSec', 'KillMode', 'NoNewPrivileges'];
    const values = Object.fromEntries(
      await Promise.all(
        alike.map(async (each) => [each, await show('autark-enroll.service', each)] as const),
      ),
    );
    expect(values).toEqual({
      ...{ Type: 'notify', Restart: 'always', RestartUSec: '5s', WatchdogUSec: '3min' },
      ...{ KillMode: 'mixed', NoNewPrivileges: 'yes' },
    });
    expect(await show('autark-enroll.service', 'CapabilityBoundingSet')).not.toContain('cap_sys_module');
    const revision = await fleet.server.git(['rev-parse', 'refs/heads/main']);
    expect(await settles(revision)).toBe('deployed');
  });

  test('it comes back when it is killed, is stopped by --uninstall, and started by enroll again', async () => {
    const [before] = await agents();
    await host.must(['systemctl', 'kill', '--signal=KILL', 'autark-enroll.service']);
    await vi.waitUntil(async () => {
      const [now] = await agents();
      return now !== undefined && now !== before;
    }, patience);
    const ended = await host.autark(['enroll', '--uninstall']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(await show('autark-enroll.service', 'LoadState')).toBe('not-found');
    expect(await agents()).toEqual([]);
    await host.startDaemon();
    expect(await settles(await push('two', switching(':')))).toBe('deployed');
  });

  test('after a boot none runs until enroll is run again', async () => {
    await host.reboot();
    expect(await agents()).toEqual([]);
    await host.startDaemon();
    expect(await show('autark-enroll.service', 'ActiveState')).toBe('active');
  });

  test('a system that brings the unit ends it in the midst of its activation, which is deployed', async () => {
    const [before] = await agents();
    const revision = await push('three', bringing);
    expect(await settles(revision)).toBe('deployed');
    expect(await show('autark-enroll.service', 'LoadState')).toBe('not-found');
    expect(await show('autark.service', 'ActiveState')).toBe('active');
    expect(await agents()).toEqual([await show('autark.service', 'MainPID')]);
    expect(await agents()).not.toEqual([before]);
    expectChain(await host.records(), 'after the module’s agent took over');
    const attempts = await host.must([
      ...['journalctl', '--output=cat', '--unit=autark-switch-3-*', '--grep=^Starting'],
    ]);
    expect(attempts.split('\n')).toHaveLength(1);
  });

  test('beside the unit of the configuration enroll starts nothing, and removes nothing', async () => {
    await host.must(['systemctl', 'stop', 'autark.service']);
    const { code, stderr } = await host.autark(['enroll']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('that of this machine’s configuration');
    expect(stderr).not.toContain('services.autark = {');
    expect(await agents()).toEqual([]);
    const refused = await host.autark(['enroll', '--uninstall']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('remove the module from the configuration');
    expect(await show('autark.service', 'LoadState')).toBe('loaded');
  });
});
