import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, type LabHost, labNeeds, makeLab } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { nixosFiles } from '../rig/nix.ts';
import { expectChain } from '../rig/sound.ts';

/** nix.conf(5): builders are /bin/sh of the machine, and nothing is fetched. */
const nixConf = ['sandbox = false', 'build-users-group =', 'substituters =', ''].join('\n');
const profile = '/nix/var/nix/profiles/system';

describeWith([...labNeeds, 'ext4'], 'a booted machine with Nix', () => {
  let lab: Lab;
  let web1: LabHost;
  beforeAll(async () => {
    lab = await makeLab('autark-booted-nix');
    web1 = await lab.join('web1', ['--system', 'nixos'], { disk: { megabytes: 256 } });
    await web1.put('/etc/nix/nix.conf', nixConf);
  });
  afterAll(() => lab.remove());

  const push = (motd: string): Promise<string> =>
    lab.fleet.server.commit({ files: nixosFiles({ web1: { motd } }), subject: motd });
  /** What runs, what is booted next, and what they say: each twice, as two places have it. */
  const state = (): Promise<string> =>
    web1.must([
      ...['sh', '-euc'],
      `readlink -f ${profile} /run/current-system; cat /etc/motd ${profile}/etc/motd; nix-store --verify --check-contents`,
    ]);

  test('builds its system, makes it the profile and runs it', async () => {
    const revision = await push('first');
    expect(await web1.settles(revision)).toBe('deployed');
    const path = (await web1.records()).at(-1)?.status.system?.path ?? '';
    expect(path).toMatch(/^\/nix\/store\/[0-9a-z]{32}-nixos-system-web1$/);
    expect(await state()).toBe([path, path, 'first', 'first'].join('\n'));
    expectChain(await web1.records(), 'with Nix');
  });

  test('has the next one whole after a power cut that follows at once, and goes on', async () => {
    await web1.settles(await push('second'));
    await web1.powerCut();
    await web1.boot();
    const path = (await web1.records()).at(-1)?.status.system?.path ?? '';
    expect(await web1.must(['readlink', '-f', profile])).toBe(path);
    expect(await web1.must(['cat', '/etc/motd', `${profile}/etc/motd`])).toBe('second\nsecond');
    await web1.must(['nix-store', '--verify', '--check-contents']);
    await web1.must(['test', '-s', `${profile}/bin/switch-to-configuration`]);
    expect(await web1.settles(await push('third'))).toBe('deployed');
    expect(await web1.must(['cat', '/etc/motd'])).toBe('third');
    expectChain(await web1.records(), 'after a power cut');
  });
});
