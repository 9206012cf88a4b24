import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DebianPackage, makeAptRepository } from '../rig/apt-repository.ts';
import { exampleFiles } from '../rig/debian-example.ts';
import { type Fleet, type Files, makeFleet } from '../rig/fleet.ts';
import { joinMachine, type MachineHost } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';

// Each of them deploys, some of them several times: seconds on a quiet machine, more on a busy one.
/** Stand-ins for the packages that the example declares, and one that is slow to configure. */
const packages: readonly DebianPackage[] = [
  {
    name: 'nginx-light',
    files: {
      '/etc/nginx/nginx.conf': 'shipped\n',
      '/etc/nginx/sites-enabled/default': 'shipped\n',
      '/usr/lib/systemd/system/nginx.service': [
        '[Service]',
        'ExecStart=/usr/bin/sleep infinity',
        'ExecReload=/bin/sh -c "echo x >>/run/nginx-reloads"',
        '[Install]',
        'WantedBy=multi-user.target',
        '',
      ].join('\n'),
    },
    postinst: ['systemctl daemon-reload', 'systemctl enable --now nginx.service'],
  },
  { name: 'rsync', files: { '/usr/bin/rsync': '' } },
  { name: 'sudo' },
  {
    name: 'slow',
    postinst: ['echo $$ >/run/slow-began', 'while [ ! -e /run/slow-may ]; do sleep 0.05; done'],
  },
];
const source = { 'common/etc/apt/sources.list.d/test.list': 'deb [trusted=yes] file:/srv/packages ./\n' };

/** A service that runs on, told when its file in /etc changes. */
const service = (name: string, command = 'sleep infinity'): Files => ({
  [`hosts/web1/units/${name}.service`]: [
    '[Service]',
    `ExecStart=/usr/bin/${command}`,
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n'),
});
const rules = { 'hosts/web1/services': 'restart one.service one.conf\nrestart two.service two.conf\n' };

describeWith(['nspawn', 'trixie'], 'the example for Debian', () => {
  let fleet: Fleet;
  let web1: MachineHost;
  let nas: MachineHost;
  const started: MachineHost[] = [];
  const join1 = async (name: string, groups: readonly string[]): Promise<MachineHost> => {
    const approval = ['--system', 'exec', '--build', 'common/build', ...groups];
    const shows = { [join(fleet.world.dir, 'packages')]: { to: '/srv/packages' } };
    const host = await joinMachine(fleet, name, approval, { shows });
    started.push(host);
    return host;
  };
  beforeAll(async () => {
    fleet = await makeFleet('autark-debian');
    const yaml = await fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    await push({ 'fleet.yaml': yaml.replace('\ngroups:\n', '\ngroups:\n  web: {}\n') }, 'A group');
    await makeAptRepository(join(fleet.world.dir, 'packages'), packages);
    web1 = await join1('web1', ['--group', 'web']);
    nas = await join1('nas', []);
  });
  afterAll(async () => {
    for (const host of started) await host.remove();
    await fleet.world.remove();
  });

  const push = (files: Files, subject = 'Change'): Promise<string> => fleet.server.commit({ files, subject });
  const deploys = async (host: MachineHost, code = 0): Promise<string> => {
    const ran = await host.agent();
    expect(ran.code, ran.stderr).toBe(code);
    return ran.stderr;
  };
  const read = (path: string): Promise<string> => web1.must(['cat', path]);
  const isThere = async (path: string): Promise<boolean> => (await web1.run(['test', '-e', path])).code === 0;
  /** Another one each time that a unit is started. */
  const start = (unit: string): Promise<string> =>
    web1.must(['systemctl', 'show', '--property=InvocationID', '--value', unit]);
  const starts = async () => ({
    one: await start('one.service'),
    two: await start('two.service'),
    nginx: await start('nginx.service'),
  });
  const isActive = async (unit: string): Promise<boolean> =>
    (await web1.run(['systemctl', 'is-active', '--quiet', unit])).code === 0;

  test('installs packages, places files and runs units', async () => {
    await push({ ...exampleFiles(), ...source }, 'Begin');
    await web1.put('/etc/motd', 'written by hand\n');
    await deploys(web1);
    expect(await web1.must(['dpkg-query', '-W', '-f', '${db:Status-Status}', 'nginx-light'])).toBe(
      'installed',
    );
    expect(await read('/etc/motd')).toMatch(/run from Git/);
    expect(await read('/etc/.motd.autark-saved')).toBe('written by hand');
    expect(await read('/etc/nginx/nginx.conf')).toBe('shipped');
    expect(await read('/etc/nginx/sites-enabled/default')).toMatch(/healthz/);
    expect(await isActive('nginx.service')).toBe(true);
    expect(await web1.must(['systemctl', 'show', '--property=Restart', '--value', 'nginx.service'])).toBe(
      'on-failure',
    );
    expect((await web1.records()).at(-1)?.status.outcome).toMatchObject({ event: 'deployed', code: 0 });
  });

  test('gives declared modes, and leaves services of timers to their timers', async () => {
    await deploys(nas);
    expect(await nas.must(['stat', '-c', '%a %U:%G', '/etc/sudoers.d/operators'])).toBe('440 root:root');
    expect(await nas.must(['systemctl', 'is-enabled', 'mirror.timer'])).toBe('enabled');
    expect(await nas.must(['systemctl', 'is-active', 'mirror.timer'])).toBe('active');
    expect((await nas.run(['systemctl', 'is-active', 'mirror.service'])).stdout).toBe('inactive\n');
  });

  test('restarts what changed and nothing else', async () => {
    const confs = { 'hosts/web1/etc/one.conf': '1\n', 'hosts/web1/etc/two.conf': '1\n' };
    await push({ ...service('one'), ...service('two'), ...rules, ...confs });
    await deploys(web1);
    expect([await isActive('one.service'), await isActive('two.service')]).toEqual([true, true]);
    const before = await starts();
    await push({ 'hosts/web1/etc/one.conf': '2\n' });
    await deploys(web1);
    expect(await read('/etc/one.conf')).toBe('2');
    const after = await starts();
    expect(after).toEqual({ ...before, one: after.one });
    expect(after.one).not.toBe(before.one);

    await web1.must(['rm', '-f', '/run/nginx-reloads']);
    await push({ 'groups/web/etc/nginx/conf.d/server-tokens.conf': 'server_tokens build;\n' });
    await deploys(web1);
    expect(await read('/run/nginx-reloads')).toBe('x');
    expect(await starts()).toEqual(after);
  });

  test('removes what is no longer declared, keeps what it never placed, and saves what somebody edited', async () => {
    await web1.put('/etc/nginx/conf.d/mine.conf', 'mine\n');
    await web1.put('/etc/one.conf', 'edited\n');
    // As a run leaves it that was killed before it put a unit in front of Debian's own.
    const meant = `${'0'.repeat(64)} systemd/system/nginx.service\n`;
    await web1.put('/var/lib/autark-debian/claimed', meant);
    const before = await starts();
    await push({
      'hosts/web1/units/two.service': null,
      'hosts/web1/etc/two.conf': null,
      'hosts/web1/services': 'restart one.service one.conf\n',
    });
    await deploys(web1);
    for (const path of ['/etc/two.conf', '/etc/systemd/system/two.service'])
      expect([path, await isThere(path)]).toEqual([path, false]);
    expect(await isActive('two.service')).toBe(false);
    expect(await read('/etc/nginx/conf.d/mine.conf')).toBe('mine');
    expect(await read('/etc/one.conf')).toBe('2');
    expect(await read('/etc/.one.conf.autark-saved')).toBe('edited');
    // Its file was another one in between, so it cannot be known what it runs with.
    expect(await start('one.service')).not.toBe(before.one);
    expect(await start('nginx.service')).toBe(before.nginx);
  });

  test.each([
    ['does not start', { ...service('one', 'no-such-program\nType=exec') }],
    ['starts and dies', { ...service('one', 'sh -c "exit 1"') }],
  ])('goes back when a unit %s, and the old one runs again', async (_how, files) => {
    const [unit, generations] = [await read('/etc/systemd/system/one.service'), await web1.records()];
    await push({ ...files, 'hosts/web1/etc/new.conf': 'new\n' });
    expect(await deploys(web1, 40)).toMatch(/units failed/);
    expect(await isActive('one.service')).toBe(true);
    expect(await read('/etc/systemd/system/one.service')).toBe(unit);
    expect(await isThere('/etc/new.conf')).toBe(false);
    const record = (await web1.records()).at(-1);
    expect(record?.status.outcome).toMatchObject({ event: 'rolled-back', code: 40 });
    expect(record?.status.system).toEqual(generations.at(-1)?.status.system);
  });

  test('goes back when a package cannot be had: apt-get’s 100 is no wish for a reboot', async () => {
    await push({ ...service('one'), 'hosts/web1/packages': 'no-such-package\n' });
    expect(await deploys(web1, 40)).toMatch(/no-such-package/);
    expect((await web1.records()).at(-1)?.status).toMatchObject({
      rebootRequired: false,
      outcome: { event: 'rolled-back' },
    });
  });

  test('follows a revert', async () => {
    const begun = await fleet.server.git(['log', '--format=%H', '--grep=^Begin$', 'refs/heads/main']);
    await fleet.server.commit({ tree: begun, files: {}, subject: 'Revert it all' });
    await deploys(web1);
    for (const path of ['/etc/one.conf', '/etc/systemd/system/one.service'])
      expect([path, await isThere(path)]).toEqual([path, false]);
    expect(await isActive('one.service')).toBe(false);
    expect(await read('/etc/nginx/conf.d/server-tokens.conf')).toBe('server_tokens off;');
    expect(await isActive('nginx.service')).toBe(true);
  });

  test('finishes in the next cycle what a killed agent began, in the middle of dpkg', async () => {
    await push({ 'hosts/web1/packages': 'slow\n', ...service('one'), 'hosts/web1/etc/one.conf': '3\n' });
    const cycle = web1.agent(['--unit=cycle', '--property=KillMode=process']);
    await web1.must(['sh', '-c', 'until [ -e /run/slow-began ]; do sleep 0.05; done']);
    await web1.must(['systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'cycle.service']);
    expect((await cycle).code).not.toBe(0);
    expect(await web1.must(['dpkg-query', '-W', '-f', '${db:Status-Status}', 'slow'])).toBe(
      'half-configured',
    );
    await web1.must(['touch', '/run/slow-may']);
    await deploys(web1);
    expect(await web1.must(['dpkg-query', '-W', '-f', '${db:Status-Status}', 'slow'])).toBe('installed');
    expect(await read('/etc/one.conf')).toBe('3');
    expect(await isActive('one.service')).toBe(true);
    expect((await web1.records()).at(-1)?.status.outcome).toMatchObject({ event: 'deployed', code: 0 });
  });

  test('says with dry-activate what it would do, and does nothing', async () => {
    await web1.put('/etc/one.conf', 'edited again\n');
    const before = await web1.must([
      'sh',
      '-c',
      'find /etc /var/lib/autark-debian -type f -print0 | sort -z | xargs -0 sha256sum',
    ]);
    const said = await web1.must([
      ...['/var/lib/autark/current/system/bin/switch-to-configuration', 'dry-activate'],
    ]);
    expect(said).toMatch(/would: save \/etc\/one.conf/);
    expect(said).toMatch(/would: place 644 root:root one.conf/);
    expect(
      await web1.must([
        'sh',
        '-c',
        'find /etc /var/lib/autark-debian -type f -print0 | sort -z | xargs -0 sha256sum',
      ]),
    ).toBe(before);
    expect(await isActive('one.service')).toBe(true);
  });

  test('asks for a reboot when Debian does, and runs the same after it', async () => {
    await web1.must(['touch', '/run/reboot-required']);
    await push({ 'hosts/web1/etc/one.conf': '4\n' });
    await deploys(web1);
    expect((await web1.records()).at(-1)?.status).toMatchObject({ rebootRequired: true });
    await web1.poweroff();
    await web1.boot();
    expect([await isActive('one.service'), await isActive('nginx.service')]).toEqual([true, true]);
    await deploys(web1);
    const { outcome, rebootRequired } = (await web1.records()).at(-1)?.status ?? {};
    expect({ event: outcome?.event, code: outcome?.code, rebootRequired }).toEqual({
      event: 'rebooted',
      code: 0,
      rebootRequired: false,
    });
    // Once is enough.
    const { length } = await web1.records();
    await deploys(web1);
    expect(await web1.records()).toHaveLength(length);
  });
});
