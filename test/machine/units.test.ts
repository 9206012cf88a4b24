import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { commonFiles } from '../rig/debian-example.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

/** Of 10, which is no protection at all. What the agent cannot do without is said in its unit. */
const mostExposed = 7;

/** A cycle a second, for nothing in a test shall wait for minutes; an empty value forgets those before it. */
const often = [
  'OnBootSec=',
  'OnBootSec=1s',
  'OnUnitInactiveSec=1s',
  'RandomizedDelaySec=0',
  'AccuracySec=1ms',
];

describeWith(labNeeds, 'the units of a machine', () => {
  let lab: Lab;
  let web1: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-units');
    await lab.fleet.server.commit({ files: commonFiles(), subject: 'Begin' });
    web1 = await lab.join('web1', ['--system', 'exec', '--build', 'common/build']);
  });
  afterAll(() => lab.remove());
  journalsOnFailure(() => [web1]);

  const delivers = async (text: string): Promise<void> => {
    const files = { 'common/etc/motd': `${text}\n` };
    const revision = await lab.fleet.server.commit({ files, subject: text });
    expect(await web1.settles(revision)).toBe('deployed');
    expect(await web1.must(['cat', '/etc/motd'])).toBe(text);
  };
  const systemctl = (...args: readonly string[]): Promise<string> => web1.must(['systemctl', ...args]);
  const show = (unit: string, property: string): Promise<string> =>
    systemctl('show', `--property=${property}`, '--value', unit);
  const comesTo = (unit: string, state: string): Promise<unknown> =>
    vi.waitUntil(async () => (await show(unit, 'ActiveState')) === state, patience);
  /** Uninstalls, and finds nothing of autark on the machine but what it has in /etc/autark and /var/lib/autark. */
  const goes = async (): Promise<void> => {
    const known =
      'cat /etc/autark/agent.yaml; cd /var/lib/autark; ls key journal.json generations; readlink current';
    const before = await web1.must(['sh', '-euc', known]);
    const { code, stderr } = await web1.autark(['enroll', '--uninstall']);
    expect(code, stderr).toBe(0);
    // Brackets: whatever runs this has them in its own command line, and is not meant.
    expect((await web1.run(['pgrep', '--list-full', '--full', '[a]utark'])).stdout).toBe('');
    expect(await systemctl('list-units', '--all', '--plain', '--no-legend', 'autark*')).toBe('');
    const files = await web1.run(['systemctl', 'list-unit-files', '--no-legend', 'autark*']);
    expect(files.stdout).toBe('');
    expect(await web1.must(['find', '/etc/systemd/system', '-name', 'autark*', '!', '-type', 'd'])).toBe('');
    expect(await web1.must(['sh', '-euc', known])).toBe(before);
  };

  test('the agent is not exposed to much, as systemd sees it', async () => {
    const said = await web1.must(['systemd-analyze', 'security', '--no-pager', 'autark.service']);
    const [, level] = /Overall exposure level for autark\.service: ([\d.]+) /.exec(said) ?? [];
    expect(Number(level), said).toBeLessThanOrEqual(mostExposed);
  });

  test('after a boot the agent is up, activates nothing anew, and deploys what is pushed next', async () => {
    await delivers('before the boot');
    const before = await web1.records();
    await web1.reboot();
    await comesTo('autark.service', 'active');
    await delivers('after the boot');
    const records = await web1.records();
    expect(records.slice(0, before.length)).toEqual(before);
    expect(records.slice(before.length).map(({ status }) => status.outcome.event)).toEqual(['deployed']);
    const units = ['autark-switch-*', 'autark-rollback-*'].map((each) => `--unit=${each}`);
    const said = await web1.must(['journalctl', '--boot', '--output=cat', ...units]);
    const activations = said.match(/(?<=^Starting )autark-\w+-\d+-\d+(?=\.service)/gm);
    expect(activations).toEqual([`autark-switch-${records.at(-1)?.status.system?.generation}-1`]);
  });

  test('a timer deploys what is pushed, without an agent that stays, also once `enroll` was run again', async () => {
    const file = '/etc/systemd/system/autark-once.timer.d/often.conf';
    await web1.put(file, ['[Timer]', ...often, ''].join('\n'));
    await systemctl('daemon-reload');
    await systemctl('disable', '--quiet', '--now', 'autark.service');
    await systemctl('enable', '--quiet', '--now', 'autark-once.timer');
    await delivers('by the timer');
    // Also in the midst of a cycle, which it waits for.
    await comesTo('autark-once.service', 'activating');
    await web1.startDaemon();
    await delivers('by the timer again');
    expect(await show('autark.service', 'ActiveState')).toBe('inactive');
    expect(await show('autark.service', 'UnitFileState')).toBe('disabled');
    expectChain(await web1.records(), 'by the timer');
  });

  test('the timer goes with the cycle that it began, and what the machine knows stays', async () => {
    // It would end by itself too soon: its server does not answer now.
    await web1.plug.cut();
    await comesTo('autark-once.service', 'activating');
    await goes();
    await web1.plug.mend();
  });

  test('installed again the agent goes on, and it goes like that too', async () => {
    await web1.must(['rm', '-r', '/etc/systemd/system/autark-once.timer.d']);
    await web1.startDaemon();
    await delivers('by the agent again');
    await goes();
    expectChain(await web1.records(), 'after all');
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });
});
