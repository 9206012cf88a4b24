import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commonFiles, unitFile } from '../rig/debian-example.ts';
import type { Files } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

// One of them lasts until the watchdog has waited long enough: more than a minute.
const stop = ['systemctl', 'kill', '--kill-whom=main', '--signal=STOP', 'autark.service'];
const motd = (text: string): Files => ({ 'common/etc/motd': `${text}\n` });
/** A unit that stops the agent where it stands: in the middle of the activation which brings the unit. */
const stopping: Files = {
  'common/units/stopping.service': unitFile(
    'Type=oneshot',
    'RemainAfterExit=yes',
    `ExecStart=${stop.join(' ')}`,
  ),
};

describeWith(labNeeds, 'an agent that hangs', () => {
  let lab: Lab;
  let web1: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-hung');
    await lab.fleet.server.commit({ files: commonFiles(), subject: 'Begin' });
    web1 = await lab.join('web1', ['--system', 'exec', '--build', 'common/build']);
  });
  afterAll(() => lab.remove());
  journalsOnFailure(() => [web1]);

  const push = (files: Files, subject: string): Promise<string> =>
    lab.fleet.server.commit({ files, subject });
  const delivers = async (text: string, files: Files = {}): Promise<void> => {
    expect(await web1.settles(await push({ ...motd(text), ...files }, text))).toBe('deployed');
    expect(await web1.must(['cat', '/etc/motd'])).toBe(text);
  };
  const show = (property: string): Promise<string> =>
    web1.must(['systemctl', 'show', `--property=${property}`, '--value', 'autark.service']);
  /** How long the agent may be silent until systemd starts it anew. */
  const allowSilence = async (time: string): Promise<void> => {
    const file = '/etc/systemd/system/autark.service.d/silence.conf';
    await web1.put(file, `[Service]\nWatchdogSec=${time}\n`);
    await web1.must(['systemctl', 'daemon-reload']);
    await web1.must(['systemctl', 'restart', 'autark.service']);
  };
  const journal = (unit: string): Promise<string> =>
    web1.must(['journalctl', '--output=cat', `--unit=${unit}`]);

  test('is started anew by systemd, and goes on delivering', async () => {
    // The agent speaks each third of it, also on a machine that is busy.
    await allowSilence('8s');
    await delivers('before it hangs');
    const before = await show('InvocationID');
    await web1.must(stop);
    const isAnew = async () =>
      (await show('InvocationID')) !== before && (await show('ActiveState')) === 'active';
    await vi.waitUntil(isAnew, patience);
    expect(await journal('autark.service')).toMatch(/autark\.service: Watchdog timeout/);
    await delivers('after it hung');
  });

  test('in a switch, and that systemd leaves alone, is waited for by the watchdog, which goes back', async () => {
    await allowSilence('0');
    const yaml = await lab.fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    expect(yaml).toContain('hosts:\n  web1:\n');
    // The watchdog has that much patience, and a minute.
    const quick = yaml.replace('  web1:\n', '  web1:\n    timeouts: { fetch: 5s, switch: 10s }\n');
    await delivers('before it hangs in a switch', { 'fleet.yaml': quick });
    const { system } = (await web1.records()).at(-1)?.status ?? {};
    const revision = await push({ ...stopping, ...motd('hung') }, 'Stop the agent');
    const outcome = await web1.decides(revision);
    expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
    expect(outcome.message).toMatch(/was not confirmed in time/);
    expect((await web1.records()).at(-1)?.status.system).toEqual(system);
    expect(await web1.must(['cat', '/etc/motd'])).toBe('before it hangs in a switch');
    expect(await web1.must(['readlink', '/var/lib/autark/current'])).toBe(
      `generations/${system?.generation}`,
    );
    expect((await web1.run(['test', '-e', '/etc/systemd/system/stopping.service'])).code).toBe(1);
    expect(await journal('autark-watchdog.service')).toMatch(/went back to \d+: exit code 0/);
    // The agent only records it: nothing is activated a second time.
    expect(await journal('autark-*')).not.toMatch(/Starting autark-rollback-/);
  });

  test('is forgotten with the next revision that is good', async () => {
    await delivers('after it hung in a switch', { 'common/units/stopping.service': null });
    expectChain(await web1.records(), 'after both');
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });
});
