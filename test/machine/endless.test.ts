import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Files, type Fleet, makeFleet } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { patience } from '../rig/lab.ts';
import { joinMachine, type MachineHost } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

// One of them lasts until the watchdog has waited long enough: more than a minute.
const build = [
  '#!/bin/sh',
  'set -e',
  'mkdir "$out/bin"',
  'cp word "$out/word"',
  'cp switch "$out/bin/switch-to-configuration"',
  'chmod 755 "$out/bin/switch-to-configuration"',
  '',
].join('\n');

/** An activation that notes what another one left running, puts the system's word into a file, then does this. */
const switching = (...script: readonly string[]) => ({
  executable: [
    '#!/bin/sh',
    "pgrep --list-full --full '[s]rv/ticks' >>/srv/beside",
    'cat "${0%/bin/*}/word" >/srv/word.new && mv /srv/word.new /srv/word',
    ...script,
    '',
  ].join('\n'),
});

/** Leaves a line of it in a file ten times a second, whoever asks it to end. */
const ticking = (name: string): string =>
  `trap "" TERM HUP INT; while :; do echo ${name} >>/srv/ticks; sleep 0.1; done`;

/** One that never ends and does not let itself be asked to, with a child in a session of its own that is no better. */
const endless = switching(
  'rm -f /srv/ticks',
  `setsid sh -c '${ticking('session')}' &`,
  `setsid sh -c 'sh -c "exec sleep 7654321" & ${ticking('orphaned')}' >/dev/null 2>&1 </dev/null &`,
  ticking('activation'),
);

/**
 * Once there is /srv/spin, the agent's only thread runs round and round. Its handler of SIGTERM is JavaScript, which waits
 * for that thread, so that it does not answer, as any agent with such an error.
 */
const spinning = [
  "import { existsSync, rmSync } from 'node:fs';",
  "import { argv } from 'node:process';",
  'const look = () => {',
  "  if (!argv.includes('agent') || !existsSync('/srv/spin')) return;",
  "  rmSync('/srv/spin');",
  '  for (;;);',
  '};',
  'setInterval(look, 20).unref();',
  '',
].join('\n');

describeWith(['nspawn', 'trixie'], 'what never ends by itself', () => {
  let fleet: Fleet;
  let host: MachineHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-endless');
    const files = { build: { executable: build }, word: 'one\n', switch: switching() };
    await push(files, 'Begin');
    host = await joinMachine(fleet, 'web1', ['--system', 'exec', '--build', 'build']);
    await host.put('/srv/spin.mjs', spinning);
    await host.must(['sh', '-c', 'echo "interval: 1s" >>/etc/autark/agent.yaml']);
    const yaml = await fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    expect(yaml).toContain('hosts:\n  web1:\n');
    // The watchdog has that much patience, and a minute.
    const quick = yaml.replace('  web1:\n', '  web1:\n    timeouts: { fetch: 5s, switch: 5s }\n');
    const revision = await push({ 'fleet.yaml': quick }, 'Quick');
    await host.startDaemon();
    expect((await decides(revision)).event).toBe('deployed');
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  const push = (files: Files, subject: string): Promise<string> => fleet.server.commit({ files, subject });
  const decides = (revision: string) =>
    vi.waitUntil(async () => {
      const { parents, status } = (await host.records()).at(-1) ?? {};
      const isAbout = parents?.[1] === revision || status?.outcome.attempted === revision;
      return isAbout && status?.outcome;
    }, patience);
  const word = (): Promise<string> => host.must(['cat', '/srv/word']);
  const delivers = async (text: string): Promise<void> => {
    const revision = await push({ word: `${text}\n`, switch: switching() }, text);
    expect((await decides(revision)).event).toBe('deployed');
    expect(await word()).toBe(text);
  };
  const show = (unit: string, property: string): Promise<string> =>
    host.must(['systemctl', 'show', `--property=${property}`, '--value', unit]);
  const journal = (unit: string): Promise<string> =>
    host.must(['journalctl', '--output=cat', `--unit=${unit}`]);
  /** The agent with the module that makes it spin, and how long it may be silent until systemd starts it anew. */
  const mayBeSilentFor = async (time: string): Promise<void> => {
    const lines = ['[Service]', `WatchdogSec=${time}`, 'Environment=NODE_OPTIONS=--import=/srv/spin.mjs', ''];
    await host.put('/etc/systemd/system/autark.service.d/silence.conf', lines.join('\n'));
    await host.must(['systemctl', 'daemon-reload']);
    await host.must(['systemctl', 'restart', 'autark.service']);
  };

  test('an activation is ended with all that it started once its time is over, and the agent itself goes back', async () => {
    const before = (await host.records()).at(-1)?.status.system;
    const agent = await show('autark.service', 'InvocationID');
    const revision = await push({ word: 'endless\n', switch: endless }, 'Endless');
    await vi.waitUntil(async () => (await word()) === 'endless', patience);
    const outcome = await decides(revision);
    expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
    expect(outcome.message).toMatch(/its activation took longer than 5 s and was ended/);
    expect(await show('autark.service', 'InvocationID')).toBe(agent);
    expect(await journal('autark-watchdog.service')).not.toMatch(/nobody confirmed/);
    expect((await host.records()).at(-1)?.status.system).toEqual(before);
    expect(await word()).toBe('one');
    // Each of the three ran, and none does.
    const ticks = await host.must(['sort', '-u', '/srv/ticks']);
    expect(ticks.split('\n')).toEqual(['activation', 'orphaned', 'session']);
    expect((await host.run(['pgrep', '--list-full', '--full', '[t]icks|[7]654321'])).stdout).toBe('');
    // Nor did any when it went back.
    expect(await host.must(['cat', '/srv/beside'])).toBe('');
    const units = ['list-units', '--all', '--plain', '--no-legend', 'autark-switch-*', 'autark-watchdog.*'];
    expect(await host.must(['systemctl', ...units])).toBe('');
    await delivers('after an endless activation');
  });

  test('an activation that a signal ends is said to have ended by that', async () => {
    const revision = await push({ word: 'killed\n', switch: switching('kill -KILL $$') }, 'Killed');
    const outcome = await decides(revision);
    expect(outcome).toMatchObject({ event: 'rolled-back', code: 40 });
    expect(outcome.message).toMatch(/was ended by SIGKILL/);
  });

  test('an agent in an endless loop is started anew by systemd, and goes on delivering', async () => {
    // The agent speaks each third of it, also on a machine that is busy.
    await mayBeSilentFor('8s');
    await delivers('before the loop');
    const before = await show('autark.service', 'InvocationID');
    await host.must(['touch', '/srv/spin']);
    await vi.waitUntil(async () => (await host.run(['test', '-e', '/srv/spin'])).code === 1, patience);
    const isAnew = async () =>
      (await show('autark.service', 'InvocationID')) !== before &&
      (await show('autark.service', 'ActiveState')) === 'active';
    await vi.waitUntil(isAnew, patience);
    expect(await journal('autark.service')).toMatch(/autark\.service: Watchdog timeout/);
    await delivers('after the loop');
  });

  test('an agent in an endless loop that systemd leaves alone is ended by the watchdog, which goes back', async () => {
    await mayBeSilentFor('0');
    await delivers('before the loop in a switch');
    const { system } = (await host.records()).at(-1)?.status ?? {};
    // While this activation runs the agent begins to loop.
    const looping = switching('touch /srv/spin', 'while [ -e /srv/spin ]; do sleep 0.1; done');
    const revision = await push({ word: 'looping\n', switch: looping }, 'Looping');
    const outcome = await decides(revision);
    expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
    expect(outcome.message).toMatch(/was not confirmed in time/);
    expect((await host.records()).at(-1)?.status.system).toEqual(system);
    expect(await word()).toBe('before the loop in a switch');
    const said = await journal('autark-watchdog.service');
    expect(said).toMatch(/autark\.service autark-once\.service did not end when asked: killed/);
    expect(said).toMatch(/went back to \d+: exit code 0/);
    await delivers('after the loop in a switch');
    expectChain(await host.records(), 'after all of it');
  });
});
