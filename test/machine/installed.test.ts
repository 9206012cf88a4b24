import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Fleet, type Files, makeFleet } from '../rig/fleet.ts';
import { joinMachine, type MachineHost } from '../rig/machine-host.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';

// A boot takes a second, a cycle two; more on a busy machine.
/** The watchdog fires within seconds: switch and fetch have little time, and the margin is what it is. */
const quick = 'timeouts: { fetch: 5s, switch: 10s }';

/** A build that hands its `switch` on as the activation, with whatever is beside it. */
const build = [
  '#!/bin/sh',
  'set -e',
  'mkdir "$out/bin"',
  'cp -r files "$out/files"',
  'cp switch "$out/bin/switch-to-configuration"',
  'chmod 755 "$out/bin/switch-to-configuration"',
  '',
].join('\n');

const dropIn = '/etc/systemd/system/autark.service.d/broken.conf';

/** An activation that leaves the agent's unit as it was installed, does this, and puts the system's word into a file. */
const switching = (...script: readonly string[]) => ({
  executable: [
    '#!/bin/sh',
    `if [ -e ${dropIn} ]; then rm ${dropIn} && systemctl daemon-reload; fi`,
    ...script,
    'cat "${0%/bin/*}/files/word" >/srv/word.new && mv /srv/word.new /srv/word',
    '',
  ].join('\n'),
});

/** What keeps the machine awake: whoever does may take a moment. */
const listing = [
  'for i in 1 2 3 4 5 6 7 8 9; do',
  '  systemd-inhibit --list --no-legend --no-pager >/srv/inhibitors',
  '  if grep -q ^autark /srv/inhibitors; then break; fi; sleep 1',
  'done',
];

/** One after which no agent can be started any more. */
const breaking = switching(
  `mkdir -p ${dropIn.slice(0, dropIn.lastIndexOf('/'))}`,
  `printf '[Service]\\nExecStart=\\nExecStart=/bin/false\\n' >${dropIn}`,
  'systemctl daemon-reload',
  'systemctl stop autark.service',
);

describeWith(['nspawn', 'trixie'], 'a machine with the units installed', () => {
  let fleet: Fleet;
  let host: MachineHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-installed');
    await push({ build: { executable: build }, 'files/word': 'one\n', switch: switching() }, 'Begin');
    host = await joinMachine(fleet, 'web1', ['--system', 'exec', '--build', 'build']);
    await edit(`hosts:\n  web1:\n`, `hosts:\n  web1:\n    ${quick}\n`);
    await host.startDaemon();
    await becomes('one');
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  const push = (files: Files, subject = 'Change'): Promise<string> => fleet.server.commit({ files, subject });
  const edit = async (from: string, to: string): Promise<void> => {
    const yaml = await fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    expect(yaml).toContain(from);
    await push({ 'fleet.yaml': yaml.replace(from, to) }, 'Edit');
  };
  const word = async (): Promise<string> => (await host.run(['cat', '/srv/word'])).stdout.trim();
  const becomes = (text: string): Promise<unknown> =>
    vi.waitUntil(async () => (await word()) === text, { ...patience, interval: 500 });
  const last = async () => (await host.records()).at(-1);
  const recorded = (event: string, revision: string): Promise<unknown> =>
    vi.waitUntil(
      async () =>
        (await last())?.trailers['Autark-Event'] === event && JSON.stringify(await last()).includes(revision),
      {
        timeout: 120_000,
        interval: 500,
      },
    );
  const show = (unit: string, property: string): Promise<string> =>
    host.must(['systemctl', 'show', `--property=${property}`, '--value', unit]);

  test('the units are whole, and systemd knows the agent is up', async () => {
    await host.must([
      'systemd-analyze',
      'verify',
      '--man=no',
      'autark.service',
      'autark-recovery.service',
      'autark-once.timer',
      ...['autark-secrets-early.service', 'autark-secrets.service', 'autark-secret@name.service'],
      'run-autark-secrets.d.mount',
    ]);
    expect(await show('autark-secrets.service', 'UnitFileState')).toBe('enabled');
    expect(await show('autark-secrets-early.service', 'UnitFileState')).toBe('enabled');
    expect(await show('autark.service', 'ActiveState')).toBe('active');
    expect(await show('autark.service', 'UnitFileState')).toBe('enabled');
    expect(await show('autark-recovery.service', 'UnitFileState')).toBe('enabled');
    const doctor = await host.autark(['doctor']);
    expect(doctor.stdout).toMatch(/autark\.service is enabled and active/);
  });

  test('an activation is in a unit of its own: it restarts the agent, and the next agent takes up how it ended', async () => {
    const before = await show('autark.service', 'InvocationID');
    const revision = await push({
      'files/word': 'two\n',
      switch: switching('systemctl restart autark.service', ...listing),
    });
    await recorded('deployed', revision);
    expect(await word()).toBe('two');
    // Nor does the machine fall asleep meanwhile, and it may again when that is over.
    expect(await host.must(['cat', '/srv/inhibitors'])).toMatch(/^autark .* sleep .* block$/m);
    expect(await host.must(['systemd-inhibit', '--list', '--no-legend', '--no-pager'])).not.toMatch(
      /^autark /m,
    );
    expect(await show('autark.service', 'InvocationID')).not.toBe(before);
  });

  test('an agent that is killed in an activation comes back to it', async () => {
    const revision = await push({
      'files/word': 'three\n',
      switch: switching(
        // Once: the watchdog, which goes back to this later, does so while no agent is there to be waited for.
        'if mkdir /srv/killed; then',
        'systemctl kill --signal=KILL autark.service',
        // The next agent is there while this still runs.
        'while systemctl --quiet is-active autark.service; do sleep 0.1; done',
        'until systemctl --quiet is-active autark.service; do sleep 0.1; done',
        'fi',
      ),
    });
    await recorded('deployed', revision);
    expect(await word()).toBe('three');
  });

  test('a generation that breaks the agent is gone back from by the watchdog, and the next agent says so', async () => {
    const revision = await push({ 'files/word': 'four\n', switch: breaking });
    await becomes('four');
    await recorded('rolled-back', revision);
    expect(await word()).toBe('three');
    expect((await last())?.status.outcome).toMatchObject({
      code: 40,
      message: expect.stringMatching(/was not confirmed in time/) as string,
    });
    expect(await show('autark.service', 'ActiveState')).toBe('active');
  });

  test('a machine that starts with a generation that nobody confirms goes back from it at the third boot', async () => {
    const revision = await push({ 'files/word': 'five\n', switch: breaking });
    await becomes('five');
    for (const boot of [1, 2]) {
      await host.kill();
      await host.boot();
      expect(await word(), `boot ${boot}`).toBe('five');
      expect(await show('autark-watchdog.timer', 'ActiveState'), `boot ${boot}`).toBe('active');
    }
    await host.kill();
    await host.boot();
    await recorded('rolled-back', revision);
    expect(await word()).toBe('three');
    expect((await last())?.status.outcome.code).toBe(40);
    expect(await show('autark-watchdog.timer', 'ActiveState')).toBe('inactive');
  });

  test('the units go, and what the machine knows stays', async () => {
    expect((await host.autark(['enroll', '--uninstall'])).code).toBe(0);
    expect(await show('autark.service', 'LoadState')).toBe('not-found');
    expect(
      await host.must(['sh', '-c', 'ls /etc/systemd/system | grep -cE "^autark.*(service|timer)$" || true']),
    ).toBe('0');
    expect((await host.run(['test', '-e', '/var/lib/autark/journal.json'])).code).toBe(0);
  });
});
