import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { joinMachine, type MachineHost } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';
import type { FileChange } from '../rig/world.ts';

/** What a step can see of its own standing, where the test reads it. */
const looks = `#!/bin/sh
exec >/srv/"$AUTARK_STEP" 2>&1
echo "devices: $(find /dev -type b | wc -l)"
mknod /tmp/node b 7 0 2>/dev/null && echo "made a node"
mount -t tmpfs none /mnt 2>/dev/null && echo "mounted"
systemd-run --quiet --wait true 2>/dev/null && echo "asked systemd"
head -c 1 /proc/1/root/dev/null 2>/dev/null && echo "went through pid 1"
grep CapBnd /proc/self/status
cat /proc/self/cgroup
echo "core $(ulimit -c)"
`;

describeWith(['nspawn', 'trixie'], 'steps of a booted machine', () => {
  let fleet: Fleet;
  let host: MachineHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-machine-steps');
    host = await joinMachine(fleet, 'web1', ['--system', 'exec', '--build', 'hosts/web1/build']);
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  const steps = [
    ...['steps:', '  - { name: looks, run: steps/looks }'],
    ...[
      '  - { name: account, run: steps/account, credentials: [PROVIDER] }',
      '  - { name: long, run: steps/long }',
    ],
  ];
  const files: Record<string, FileChange> = {
    'steps/looks': { executable: looks },
    'steps/account': {
      executable:
        '#!/bin/sh\nset -eu\necho "I was lent $PROVIDER"\nprintf %s "$PROVIDER-own" >"$AUTARK_YIELD/password"\n' +
        'stat -f -c "%T" "$AUTARK_YIELD" >/srv/type; stat -c "%a" /run/autark/steps >>/srv/type\n',
    },
    'steps/long': {
      executable:
        '#!/bin/sh\nset -eu\ntouch /srv/begun\nuntil [ -e /srv/go ]; do sleep 0.1; done\ntouch /srv/over\n',
    },
  };
  /** `fleet.yaml` as it was approved, with these lines below the host's name. */
  const declared = (lines: readonly string[]): string =>
    readFileSync(join(fleet.world.clone, 'fleet.yaml'), 'utf8').replace(
      /^ {2}web1:\n/m,
      ['  web1:\n', ...lines.map((line) => `    ${line}\n`)].join(''),
    );
  const events = async (): Promise<readonly string[]> =>
    (await host.records()).map(({ status }) => status.outcome.event);
  const read = (path: string): Promise<string> => host.must(['cat', path]);

  test('run as units of their own, where no block device, mount or systemd is within reach', async () => {
    const yaml = declared(steps);
    await fleet.server.commit({ files: { ...execHost('web1', 'hello'), ...files, 'fleet.yaml': yaml } });
    const ran = await host.agent();
    // The second one lacks what it is lent.
    expect(ran.code, ran.stderr).toBe(60);
    const seen = await read('/srv/looks');
    expect(seen).toMatch(/^devices: 0\nCapBnd:/);
    expect(seen).toContain('/system.slice/autark-step-1.service');
    expect(seen).toContain('core 0');
    const set = BigInt(`0x${/CapBnd:\s*([0-9a-f]+)/.exec(seen)?.[1] ?? 'f'}`);
    // CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_PTRACE, CAP_SYS_ADMIN, CAP_MKNOD (capability.h).
    for (const bit of [16n, 17n, 19n, 21n, 27n]) expect((set >> bit) & 1n).toBe(0n);
    expect(await events()).toEqual(['enrolled', 'step-started', 'step-done', 'held']);
  });

  test('what is lent, said and yielded is in memory, and sealed: no unit, journal or record has it', async () => {
    const secret = 'hunter2hunter2';
    await host.put('/srv/go', '');
    await host.put('/run/lent', secret, '0600');
    const ran = await host.agent([
      '--property=LoadCredential=PROVIDER:/run/lent',
      '--property=TimeoutStopSec=5',
    ]);
    expect(ran.code, ran.stderr).toBe(0);
    expect(await read('/srv/type')).toBe('ramfs\n700');
    await host.must(['rm', '/run/lent']);
    await host.must(['journalctl', '--sync']);
    const journal = await host.must(['journalctl', '--boot', '--output=export', '--no-pager']);
    expect(journal).toContain('autark-step-');
    const objects = await fleet.server.git(['log', '-p', '--format=%B', 'refs/heads/state/web1']);
    const shown = await host.must([
      'sh',
      '-c',
      'systemctl show "autark*" ; ls -R /run/autark /var/lib/autark/activation',
    ]);
    const found = await host.run([
      'grep',
      '-rlF',
      '--exclude-dir=transient',
      secret,
      '/run',
      '/var/lib/autark',
      '/var/tmp',
      '/etc',
      '/tmp',
    ]);
    expect([journal, objects, shown, ran.stderr].filter((text) => text.includes(secret))).toEqual([]);
    expect(found.stdout).toBe('');
    await fleet.world.git(['fetch', '--quiet']);
    const yielded = await fleet.world.mustAutark([
      'ledger',
      'show',
      'web1',
      '--step',
      'account',
      '--yielded',
      'password',
    ]);
    expect(yielded).toBe(`${secret}-own`);
    expect((await fleet.world.mustAutark(['ledger', 'show', 'web1', '--step', 'account'])).trim()).toBe(
      `I was lent ${secret}`,
    );
    expect((await events()).slice(-3)).toEqual(['step-started', 'step-done', 'deployed']);
  });

  test('one goes on when the agent is killed, and the next agent records how it ended', async () => {
    const again = [...steps, '  - { name: longer, run: steps/long, credentials: [PROVIDER] }'];
    await host.must(['rm', '-f', '/srv/begun', '/srv/over', '/srv/go']);
    await fleet.server.commit({ files: { 'fleet.yaml': declared(again) } });
    const secret = 'hunter3hunter3';
    await host.put('/run/lent', secret, '0600');
    const lent = '--property=LoadCredential=PROVIDER:/run/lent';
    const first = host.agent(['--unit=first-agent', lent]);
    const isBegun = async (): Promise<boolean> => (await host.run(['test', '-e', '/srv/begun'])).code === 0;
    await expect.poll(isBegun, { ...patience, interval: 300 }).toBe(true);
    await host.must(['rm', '/run/lent']);
    const shown = await host.must(['systemctl', 'show', 'autark-step-*']);
    expect(shown).toMatch(/^ActiveState=activating$/m);
    const look = 'cat /proc/[0-9]*/cmdline | tr "\\0" " "; ls -R /run/autark/steps';
    const running = await host.must(['sh', '-c', look]);
    expect(running).toContain('/kept');
    expect(`${shown}${running}`).not.toContain(secret);
    await host.run(['systemctl', 'kill', '--signal=KILL', 'first-agent']);
    expect((await first).code).not.toBe(0);
    await host.must(['touch', '/srv/go']);
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(0);
    await host.must(['test', '-e', '/srv/over']);
    expect((await events()).slice(-3)).toEqual(['step-started', 'step-done', 'unchanged']);
    expect(await host.must(['ls', '/run/autark/steps'])).toBe('');
  });
});
