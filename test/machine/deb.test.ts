import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { version } from '../../shared/version.ts';
import { debOf, standInForNode } from '../rig/deb.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, makeFleet, recordsOf, type StateCommit } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { patience } from '../rig/lab.ts';
import { makeMachine, type Machine } from '../rig/machine.ts';
import { approveMachine, node, openToAll, remote } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { putSingleFile } from '../rig/single-file.ts';

const debs = '/srv/debs';
const newer = ['99.1.0', '99.2.0'] as const;
const deb = (of: string): string => `${debs}/autark_${of}_all.deb`;
const file = '/usr/local/bin/autark';

describeWith(['nspawn', 'trixie', 'dpkg-deb'], 'a machine with the package for Debian', () => {
  let fleet: Fleet;
  let host: Machine;
  let dir: string;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'autark-debs-'));
    await standInForNode(dir, node);
    for (const each of [version, ...newer]) await debOf(dir, each);
    await putSingleFile(join(dir, 'autark.mjs'));
    fleet = await makeFleet('autark-deb');
    await push('the first');
    host = makeMachine({
      name: 'web1',
      shows: {
        [process.execPath]: { to: node },
        [fleet.world.remote]: { to: remote, writable: true },
        [dir]: { to: debs },
      },
    });
    await openToAll(fleet.world.remote);
    await host.boot();
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
    rmSync(dir, { recursive: true, force: true });
  });
  journalsOnFailure(() => [host]);

  const push = (text: string, more = ''): Promise<string> => {
    const files = execHost('web1', text);
    const build = files['hosts/web1/build'] as { readonly executable: string };
    const executable = build.executable.replace('\nEND\n', () => `\n${more}\nEND\n`);
    return fleet.server.commit({ files: { ...files, 'hosts/web1/build': { executable } }, subject: text });
  };
  const runs = async (text: string): Promise<void> => {
    await vi.waitUntil(async () => (await host.run(['cat', '/etc/motd'])).stdout.trim() === text, patience);
  };
  /** The record that it makes of what is pushed. */
  const delivers = async (text: string, more?: string): Promise<StateCommit> => {
    const revision = await push(text, more);
    await runs(text);
    const record = await vi.waitUntil(async () => {
      const last = (await recordsOf(fleet.server, 'web1')).at(-1);
      return last?.parents[1] === revision && last;
    }, patience);
    expect(record.status.outcome.event).toBe('deployed');
    return record;
  };
  const show = (property: string): Promise<string> =>
    host.must(['systemctl', 'show', `--property=${property}`, '--value', 'autark.service']);
  const processes = async (): Promise<string> =>
    // Brackets: whatever runs this has them in its own command line, and is not meant.
    (await host.run(['pgrep', '--list-full', '--full', '[a]utark'])).stdout;
  const ownUnits = (): Promise<string> =>
    host.must(['find', '/etc/systemd/system', '-name', 'autark*', '!', '-type', 'd']);
  const known = (): Promise<string> =>
    host.must([
      ...['sh', '-euc', 'cat /etc/autark/agent.yaml; cd /var/lib/autark; ls journal.json; readlink current'],
    ]);
  const installs = (...files: readonly string[]): Promise<string> =>
    host.must(['sh', '-c', 'dpkg --install "$@" 2>&1', 'install', ...files]);

  const apt = (...args: readonly string[]): Promise<string> =>
    host.must(['sh', '-c', 'apt-get --yes --no-install-recommends "$@" 2>&1', 'apt', ...args]);

  test('installed, it is there, and nothing of it runs or will', async () => {
    await apt('install', `${debs}/nodejs.deb`, deb(version));
    expect(await host.must(['autark', '--version'])).toBe(version);
    expect(await show('UnitFileState')).toBe('disabled');
    expect(await processes()).toBe('');
    expect(await host.must(['id', '--name', '--user', 'autark-git', 'autark-build'])).toBe(
      'autark-git\nautark-build',
    );
    await host.must(['systemd-analyze', 'verify', '--man=no', 'autark.service', 'autark-once.service']);
    expect(await host.must(['dpkg', '--verify', 'autark'])).toBe('');
  });

  test('enrolled, its own units are enabled, and it deploys what is pushed', async () => {
    const there = ['--remote', remote, '--host', 'web1', '--introduction', fleet.introduction];
    const enrolled = await host.run(['autark', 'enroll', ...there]);
    await approveMachine(fleet, 'web1', enrolled, ['--system', 'exec', '--build', 'hosts/web1/build']);
    await runs('the first');
    const { status } = await delivers('the second');
    expect(status.agent.version).toBe(version);
    expect(await show('ExecStart')).toContain('argv[]=/usr/bin/node /usr/lib/autark/autark.mjs agent ;');
    expect(await show('FragmentPath')).toBe('/usr/lib/systemd/system/autark.service');
    expect((await host.run(['autark', 'doctor'])).stdout).toContain('autark.service is enabled and active');
  });

  test('a second agent beside it is refused', async () => {
    const { code, stderr } = await host.run([`${debs}/autark.mjs`, 'enroll', '--install-to', file]);
    expect(code).toBe(2);
    expect(stderr).toContain('a package has brought the agent of this machine');
    expect((await host.run(['test', '-e', file])).code).toBe(1);
  });

  test('upgraded while it runs, the new agent goes on', async () => {
    const before = await show('MainPID');
    await installs(deb(newer[0]));
    const { status } = await delivers('the third');
    expect(status.agent.version).toBe(newer[0]);
    expect(await show('MainPID')).not.toBe(before);
  });

  test('upgraded by an activation of its own, the new agent records how that ended', async () => {
    const { status } = await delivers('the fourth', `dpkg --install ${deb(newer[1])}`);
    expect(status.agent.version).toBe(newer[1]);
    const activations = (await host.must(['cat', '/activations'])).split('\n');
    expect(activations.filter((line) => line.endsWith(' the fourth'))).toHaveLength(1);
  });

  test('removed, it leaves no process and no unit, and all that the machine knows', async () => {
    const before = await known();
    await apt('remove', 'autark');
    expect(await processes()).toBe('');
    expect(await ownUnits()).toBe('');
    expect(await host.must(['systemctl', 'list-units', '--all', '--plain', '--no-legend', 'autark*'])).toBe(
      '',
    );
    expect((await host.run(['systemctl', 'list-unit-files', '--no-legend', 'autark*'])).stdout).toBe('');
    expect(await known()).toBe(before);
  });

  test('installed again, it goes on without a question', async () => {
    await installs(deb(newer[1]));
    await delivers('the fifth');
    expect(await show('UnitFileState')).toBe('enabled');
    expect((await host.run(['systemctl', 'is-enabled', 'autark-recovery.service'])).stdout).toBe('enabled\n');
  });

  test('uninstalled by hand, it is disabled, also after the package came anew; enrolled again, it goes on', async () => {
    const { code, stderr } = await host.run(['autark', 'enroll', '--uninstall']);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('The agent is stopped and disabled.');
    expect(await processes()).toBe('');
    await host.must(['dpkg', '--remove', 'autark']);
    await installs(deb(newer[1]));
    expect(await show('UnitFileState')).toBe('disabled');
    expect(await processes()).toBe('');
    await host.must(['autark', 'enroll']);
    await delivers('the sixth');
  });

  test('purged, it says what it leaves', async () => {
    const before = await known();
    const said = await apt('purge', 'autark');
    expect(said).toContain('/etc/autark and /var/lib/autark stay');
    expect(await known()).toBe(before);
    expect((await host.run(['find', '/var/lib/autark', '-name', 'enabled-when-removed'])).stdout).toBe('');
  });

  test('installed beside the single file, it says which of them runs, and how it takes its place', async () => {
    await host.must([`${debs}/autark.mjs`, 'enroll', '--install-to', file]);
    const said = await installs(deb(newer[1]));
    expect(said).toContain('/etc/systemd/system/autark.service goes before the unit of this package');
    expect(await show('ExecStart')).toContain(`${file} agent`);
    const [, line = ''] = /^autark: to have this one: (.*)$/m.exec(said) ?? [];
    expect(line).not.toBe('');
    await host.must(['sh', '-euc', line]);
    expect(await show('FragmentPath')).toBe('/usr/lib/systemd/system/autark.service');
    await delivers('the seventh');
  });
});
