import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startUp } from '../../shared/cycle/confirm.ts';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { joinMachine, type MachineHost } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';

/** Milliseconds: the watchdog’s minute, and what it adds to. */
const long = 180_000;

const build = [
  '#!/bin/sh',
  'set -e',
  'mkdir "$out/bin"',
  'cp start "$out/start"',
  'cp switch "$out/bin/switch-to-configuration"',
  '',
].join('\n');

/** What a boot loader would be told: which system starts. Another boot, or `switch`, starts it. */
const activation = [
  '#!/bin/sh',
  'set -e',
  'ln -sfn "${0%/bin/*}" /srv/default',
  'cp /srv/default/start /etc/system-start',
  'echo "$1" >>/srv/activations',
  'cat >/etc/systemd/system/system.service <<END',
  '[Unit]',
  'Before=autark.service',
  '[Service]',
  'Type=oneshot',
  'RemainAfterExit=yes',
  'ExecStart=/bin/sh /etc/system-start',
  '[Install]',
  'WantedBy=multi-user.target',
  'END',
  'systemctl --quiet enable system.service',
  'case $1 in switch) systemctl restart system.service ;; esac',
  '',
].join('\n');

/** Gone after a boot: what starts next does not have it. */
const dropIn = '/run/systemd/system/autark.service.d/broken.conf';

describeWith(['nspawn', 'trixie'], 'a generation that runs from the next boot on', () => {
  let fleet: Fleet;
  let host: MachineHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-boot-default');
    await push('one');
    host = await joinMachine(fleet, 'web1', ['--system', 'exec', '--build', 'build']);
    const yaml = await fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    const keys = [
      'activate: boot',
      'timeouts: { fetch: 5s, switch: 10s }',
      'health: [ { unit: system.service } ]',
    ];
    const files = {
      'fleet.yaml': yaml.replace('hosts:\n  web1:\n', `hosts:\n  web1:\n    ${keys.join('\n    ')}\n`),
    };
    // The first one starts at once: what a check proves has to be there before.
    await host.agent();
    await host.must(['systemctl', 'start', 'system.service']);
    await fleet.server.commit({ files, subject: 'From the next boot on' });
    await host.startDaemon();
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  /** @param start what the system does when it starts, besides saying its name */
  const push = (word: string, start: readonly string[] = []): Promise<string> =>
    fleet.server.commit({
      subject: word,
      files: {
        build: { executable: build },
        start: [...start, `echo ${word} >/srv/word`, ''].join('\n'),
        switch: { executable: activation },
      },
    });
  const word = (): Promise<string> => host.must(['cat', '/srv/word']);
  const last = async () => (await host.records()).at(-1)?.status;
  const recorded = (event: string, timeout = 60_000): Promise<unknown> =>
    vi.waitUntil(async () => (await last())?.outcome.event === event, { timeout, interval: 500 });
  const deployed = async (text: string, start: readonly string[] = []): Promise<string> => {
    const revision = await push(text, start);
    await vi.waitUntil(
      async () => {
        const status = await last();
        return status?.outcome.event === 'deployed' && status.system?.revision === revision;
      },
      { ...patience, interval: 500 },
    );
    return revision;
  };
  const isArmed = async (): Promise<boolean> =>
    (await host.run(['test', '-e', '/var/lib/autark/watchdog/armed'])).code === 0;
  const timers = (): Promise<string> =>
    host.must(['systemctl', 'list-timers', '--no-legend', '--plain', 'autark-watchdog.timer']);

  test('runs on as it is until then, is watched from then on, and confirmed', async () => {
    const revision = await deployed('two');
    expect(await word()).toBe('one');
    expect(await last()).toMatchObject({ rebootRequired: true });
    // What watches begins with the boot; until then nothing may fire, however long it takes.
    expect([await isArmed(), await timers()]).toEqual([true, '']);
    await host.reboot();
    await recorded('rebooted');
    expect(await word()).toBe('two');
    expect(await last()).toMatchObject({ rebootRequired: false, system: { revision } });
    expect([await isArmed(), await timers()]).toEqual([false, '']);
  });

  /** The machine goes back, by one boot that nobody asks for, and stays there. */
  const comesBack = async (revision: string, within = long): Promise<void> => {
    await host.reboot();
    await host.comesBack(within);
    await recorded('rolled-back');
    expect(await word()).toBe('two');
    expect(await last()).toMatchObject({
      rebootRequired: false,
      outcome: { code: 40, attempted: revision },
    });
    expect(await isArmed()).toBe(false);
    // The boot after that is one like any other.
    const { length } = await host.records();
    await host.reboot();
    await vi.waitUntil(
      async () => (await host.run(['systemctl', 'is-active', 'autark.service'])).code === 0,
      { ...patience, interval: 500 },
    );
    expect(await word()).toBe('two');
    expect(await host.records()).toHaveLength(length);
  };

  test('that is not well then is gone back from, by one more boot', async () => {
    const revision = await deployed('three', ['echo three >/srv/word', 'exit 1']);
    await comesBack(revision);
    expect((await last())?.outcome.message).toMatch(/is not well: .*system\.service is failed/);
  });

  test('that leaves the machine without an agent is gone back from by the watchdog', async () => {
    const revision = await deployed('four', [
      `mkdir -p ${dropIn.slice(0, dropIn.lastIndexOf('/'))}`,
      `printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >${dropIn}`,
      'systemctl daemon-reload',
    ]);
    // Nobody knows that it does not just take its time to start.
    await comesBack(revision, long + startUp);
    expect((await last())?.outcome.message).toMatch(/was not confirmed in time/);
  });
});
