import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, makeFleet, recordsOf } from '../rig/fleet.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { makeMachine, type Machine } from '../rig/machine.ts';
import { approveMachine, node, openToAll, remote } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { agentOf, bundled } from '../rig/single-file.ts';
import { version } from '../../shared/version.ts';

const file = '/usr/local/bin/autark';
const quick = ['timeouts: { fetch: 5s, switch: 10s }'];

describeWith(['nspawn', 'trixie'], 'a machine whose agent comes from Git', () => {
  let fleet: Fleet;
  let host: Machine;
  let yaml = '';
  beforeAll(async () => {
    fleet = await makeFleet('autark-agent-machine');
    await fleet.server.commit({ files: execHost('web1', 'hello') });
    host = makeMachine({
      name: 'web1',
      shows: { [process.execPath]: { to: node }, [fleet.world.remote]: { to: remote, writable: true } },
    });
    await openToAll(fleet.world.remote);
    await host.boot();
    await host.put('/root/autark.mjs', (await bundled()).text, '0755');
    const there = ['--remote', remote, '--host', 'web1', '--introduction', fleet.introduction];
    const enrolled = await host.run(['/root/autark.mjs', 'enroll', ...there, '--install-to', file]);
    await approveMachine(fleet, 'web1', enrolled, ['--system', 'exec', '--build', 'hosts/web1/build']);
    yaml = await fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    await records('deployed');
  });
  afterAll(async () => {
    await host.remove();
    await fleet.world.remove();
  });
  journalsOnFailure(() => [host]);

  const last = async () => (await recordsOf(fleet.server, 'web1')).at(-1)?.status;
  const records = (event: string, revision?: string): Promise<unknown> =>
    vi.waitUntil(
      async () => {
        const status = await last();
        return (
          status?.outcome.event === event &&
          (revision === undefined || JSON.stringify(status).includes(revision))
        );
      },
      { timeout: 180_000, interval: 500 },
    );
  const push = (agent: string, motd: string): Promise<string> =>
    fleet.server.commit({
      files: {
        ...execHost('web1', motd),
        'bin/autark.mjs': agent,
        'fleet.yaml': yaml.replace(
          '  web1:\n',
          ['  web1:\n', ...[...quick, 'agent: { file: bin/autark.mjs }'].map((line) => `    ${line}\n`)].join(
            '',
          ),
        ),
      },
    });
  const says = (): Promise<string> => host.must([file, '--version']);
  const motd = (): Promise<string> => host.must(['cat', '/etc/motd']);
  const isOne = async (): Promise<void> => {
    expect(await host.must(['systemctl', 'is-active', 'autark.service'])).toBe('active');
    // Brackets: whatever runs this has them in its own command line, and is not meant.
    expect(await host.must(['pgrep', '--count', '--full', '[a]utark agent$'])).toBe('1');
  };

  test('is served by the newer agent that a revision brings, once that has confirmed it', async () => {
    const revision = await push(await agentOf('9.1.0'), 'one');
    await records('deployed', revision);
    expect(await last()).toMatchObject({ agent: { version: '9.1.0' } });
    expect([await says(), await motd()]).toEqual(['9.1.0', 'one']);
    await isOne();
    expect((await host.run(['test', '-e', '/var/lib/autark/watchdog/armed'])).code).toBe(1);
  });

  test('is taken back by the watchdog from one that never starts, and served by the one of before', async () => {
    const revision = await push('process.exit(3);\n', 'two');
    await records('rolled-back', revision);
    expect(await last()).toMatchObject({
      agent: { version: '9.1.0' },
      outcome: { code: 40, message: expect.stringMatching(/was not confirmed in time/) as string },
    });
    expect([await says(), await motd()]).toEqual(['9.1.0', 'one']);
    await isOne();
  });

  test('is taken back from one that says it is ready and does nothing more', async () => {
    const hung = [
      "import { execFileSync } from 'node:child_process';",
      "execFileSync('systemd-notify', [`--pid=${process.pid}`, 'READY=1']);",
      "process.on('SIGTERM', () => undefined);",
      'setInterval(() => undefined, 1000);',
      '',
    ].join('\n');
    const revision = await push(hung, 'three');
    await records('rolled-back', revision);
    expect([await says(), await motd()]).toEqual(['9.1.0', 'one']);
    await isOne();
  });

  test('goes back to an older agent as to any other', async () => {
    const revision = await push((await bundled()).text, 'four');
    await records('deployed', revision);
    expect(await last()).toMatchObject({ agent: { version } });
    expect([await says(), await motd()]).toEqual([version, 'four']);
    await isOne();
  });
});
