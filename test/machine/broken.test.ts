import { afterAll, beforeAll, expect, test } from 'vitest';
import { commonFiles, unitFile } from '../rig/debian-example.ts';
import type { Files } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { type Lab, type LabHost, labNeeds, makeLab } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';
import { expectChain } from '../rig/sound.ts';

/** In Git what the machine's owner would have there: its network, its way in, and what it is for. */
const layer = (path: string, text: string): Files => ({ [`hosts/web1/etc/${path}`]: text });
const network = (...lines: readonly string[]): Files =>
  layer('systemd/network/10-host0.network', ['[Match]', 'Name=host0', ...lines, ''].join('\n'));
const sshd = (line: string): Files => layer('ssh/sshd_config.d/fleet.conf', `${line}\n`);
const shop = (status: number): Files =>
  layer(
    'shop.js',
    `require('http').createServer((_, to) => to.writeHead(${status}).end()).listen(8080, '127.0.0.1');\n`,
  );
const limit = (size: number): Files => layer('shop.limit', `${size}\n`);

const whole = (address: string): Files => ({
  ...commonFiles(),
  ...network('[Network]', `Address=${address}/24`),
  ...{ ...sshd('PrintMotd yes'), ...shop(204), ...limit(10) },
  'hosts/web1/units/shop.service': unitFile('ExecStart=/usr/local/bin/node /etc/shop.js'),
  'hosts/web1/services': [
    'restart systemd-networkd.service systemd/network/*',
    'restart ssh.service ssh/*',
    'restart shop.service shop.*',
    '',
  ].join('\n'),
  'hosts/web1/checks/limit': { executable: '#!/bin/sh\ntest "$(cat /etc/shop.limit)" -ge 10\n' },
});

const checks = [
  '    timeouts: { fetch: 10s, switch: 1m }',
  '    health:',
  '      - { tcp: "127.0.0.1:22" }',
  '      - { unit: ssh.service }',
  '      - { http: "http://127.0.0.1:8080/" }',
  '      - { command: hosts/web1/checks/limit, retries: 0 }',
  '',
].join('\n');

describeWith(labNeeds, 'a generation that breaks its machine', () => {
  let lab: Lab;
  let web1: LabHost;
  let good = '';
  beforeAll(async () => {
    lab = await makeLab('autark-broken');
    web1 = await lab.join('web1', ['--system', 'exec', '--build', 'common/build']);
  });
  afterAll(() => lab.remove());
  journalsOnFailure(() => [web1]);

  /** It may have been restarted just now. */
  const patiently = ['--silent', '--fail', '--retry', '30', '--retry-delay', '1', '--retry-connrefused'];
  /** What makes this machine useful: an address, an sshd on its port, its shop and its file. */
  const works = async () => ({
    addresses: await web1.must(['ip', '-4', '-brief', 'address', 'show', 'up', 'dev', 'host0']),
    sshd: (await web1.run(['ssh-keyscan', '-T', '5', '127.0.0.1'])).stdout.includes('127.0.0.1 ssh-'),
    shop: (await web1.run(['curl', ...patiently, 'http://127.0.0.1:8080/'])).code,
    limit: await web1.must(['cat', '/etc/shop.limit']),
    current: await web1.must(['readlink', '/var/lib/autark/current']),
  });

  test('is one that follows this', async () => {
    await web1.must(['ssh-keygen', '-A']);
    // Without keys it has failed since the boot, as often as systemd lets it.
    await web1.must(['sh', '-c', 'systemctl reset-failed ssh.service; systemctl start ssh.service']);
    await lab.fleet.server.commit({ files: whole(web1.plug.address), subject: 'Begin' });
    expect(await web1.settles(await lab.fleet.server.head())).toBe('deployed');
    const yaml = await lab.fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    expect(yaml).toContain('hosts:\n  web1:\n');
    const files = { 'fleet.yaml': yaml.replace('  web1:\n', `  web1:\n${checks}`), ...limit(11) };
    good = await lab.fleet.server.commit({ files, subject: 'Checks' });
    expect(await web1.settles(good)).toBe('deployed');
    expect(await works()).toMatchObject({ sshd: true, shop: 0, limit: '11' });
    expect((await works()).addresses).toContain(` ${web1.plug.address}/24`);
  });

  test.each<[what: string, files: Files, cause: RegExp]>([
    [
      'takes its address away',
      network('[Network]', 'Address=10.98.0.1/24'),
      /the Git server is out of reach/,
    ],
    [
      'takes its interface down',
      network('[Link]', 'ActivationPolicy=always-down'),
      /the Git server is out of reach/,
    ],
    ['moves sshd to another port', sshd('Port 2222'), /health check tcp 127\.0\.0\.1:22 /],
    ['has settings that sshd does not take', sshd('NoSuchSetting yes'), /health check unit ssh\.service /],
    ['answers with an error', shop(500), /health check http http:\/\/127\.0\.0\.1:8080\/ /],
    ['fails a check of its own', limit(9), /health check command hosts\/web1\/checks\/limit /],
  ])('%s: it is gone back from, and nobody helps', async (subject, files, cause) => {
    const before = { ...(await works()), system: (await web1.records()).at(-1)?.status.system };
    const revision = await lab.fleet.server.commit({ tree: good, files, subject });
    const outcome = await web1.decides(revision);
    expect(outcome).toMatchObject({ event: 'rolled-back', code: 40, attempted: revision });
    expect(outcome.message).toMatch(cause);
    const system = (await web1.records()).at(-1)?.status.system;
    expect({ ...(await works()), system }).toEqual(before);
  });

  test('the next revision that is good is deployed, though what was about to fail before has failed meanwhile', async () => {
    // Between its first try and its last one when the switch begins; it fails for good while the check soaks.
    const ailing = ['ExecStart=/bin/false', 'Restart=on-failure', 'RestartSec=8', ''];
    const unit = ['[Unit]', 'StartLimitIntervalSec=60', 'StartLimitBurst=1', '[Service]', ...ailing].join(
      '\n',
    );
    await web1.put('/run/systemd/system/ailing.service', unit);
    await web1.must(['sh', '-c', 'systemctl daemon-reload && systemctl start ailing.service']);
    const yaml = await lab.fleet.server.git(['show', `${good}:fleet.yaml`]);
    const soaking = yaml.replace('checks/limit, retries: 0', 'checks/limit, retries: 0, soak: 12s');
    const files = { ...layer('motd', 'mended\n'), 'fleet.yaml': `${soaking}\n` };
    const revision = await lab.fleet.server.commit({ tree: good, files, subject: 'Mend' });
    expect(await web1.decides(revision)).toMatchObject({ event: 'deployed', code: 0 });
    expect((await web1.run(['systemctl', 'is-failed', 'ailing.service'])).stdout.trim()).toBe('failed');
    expect(await web1.must(['cat', '/etc/motd'])).toBe('mended');
    expectChain(await web1.records(), 'after all of them');
    expect(await lab.fleet.world.mustAutark(['verify'])).toMatch(/: all is well$/);
  });
});
