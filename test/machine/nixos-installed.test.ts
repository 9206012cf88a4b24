import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { version } from '../../shared/version.ts';
import type { Files } from '../rig/fleet.ts';
import { lineFor } from '../rig/git-server-example.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { gitKey, type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { approveMachine } from '../rig/machine-host.ts';
import { describeWith } from '../rig/needs.ts';
import { makeStore, type NixStore } from '../rig/nix.ts';
import { lockFor, sharedFiles, textIn } from '../rig/nixos-example.ts';
import type { RanProgram } from '../rig/run.ts';
import { expectChain } from '../rig/sound.ts';
import { makeStandIn, type StandIn } from '../rig/stand-in-nixos.ts';

// The package is built: half a minute on a quiet machine.
/** The line of the example's README that begins so. */
const lineOfReadme = (first: string): string =>
  textIn('README.md')
    .split('\n')
    .find((each) => each.startsWith(first)) ?? expect.unreachable(`no line begins with ${first}`);
const stanzaIn = /services\.autark = \{[^}]*\};/;
const inReadme = { remote: 'ssh://git@git.example.org/fleet.git', introduction: 'COMMIT' };

describeWith([...labNeeds, 'nix', 'npm'], 'a machine that stands in for NixOS, by the example', () => {
  let lab: Lab;
  let nixos: StandIn;
  let server: LabHost;
  let store: NixStore;
  let common = '';
  beforeAll(async () => {
    lab = await makeLab('autark-nixos-installed');
    nixos = await makeStandIn(lab, 'server');
    server = nixos.machine;
    store = await makeStore(join(lab.fleet.world.dir, 'nix'));
  });
  afterAll(async () => {
    await nixos.remove();
    await lab.remove();
  });
  journalsOnFailure(() => [server]);

  const push = (files: Files): Promise<string> => lab.fleet.server.commit({ files });
  const last = async () => (await server.records()).at(-1)?.status;
  const stateOf = (unit: string): Promise<string> =>
    server.must(['systemctl', 'show', '--property=ActiveState', '--value', unit]);
  /** The package of the agent that runs, as the store has it. */
  const running = (): Promise<string> =>
    nixos.sh('tr "\\0" "\\n" <"/proc/$(systemctl show --property=MainPID --value autark.service)/environ"');
  const lockOf = (autark: string): Promise<string> => lockFor(store, { ...nixos, autark }, nixos.there);
  const motd = (text: string): string => common.replace(/users\.motd = ".*"/, `users.motd = "${text}"`);

  test('has the command once it is installed from the flake', async () => {
    const install = lineOfReadme('nix --extra-experimental-features');
    expect(readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')).toContain(`\n${install}\n`);
    await nixos.sh(`${install} --override-input nixpkgs path:${nixos.there(nixos.nixpkgs)}`);
    expect(await nixos.sh('autark --version')).toBe(version);
  });

  let enrolled: RanProgram;
  test('enrols, prints what its configuration needs, and runs an agent until that has one', async () => {
    const enroll = lineOfReadme('autark enroll')
      .replace(inReadme.remote, lab.url)
      .replace(inReadme.introduction, lab.fleet.introduction);
    await server.put('/etc/autark/known_hosts', lab.ssh.knownHost());
    expect(await nixos.sh(`${enroll} 2>&1 || echo "code $?"`)).toMatch(
      /Register it there, and run this again\.[^]*\ncode 50$/,
    );
    const line = lineFor('web1', await server.must(['cat', `${gitKey}.pub`]));
    lab.ssh.authorize(line.replaceAll('web1', 'server'));
    const stdout = await nixos.sh(`${enroll} 2>/root/said`);
    enrolled = { code: 0, stdout, stderr: await nixos.sh('cat /root/said') };
    const stanza = stanzaIn.exec(enrolled.stderr)?.[0] ?? '';
    const ours = `interval = "1s";\n  };\n  systemd.services.autark.environment = {\n    npm_config_registry = "${nixos.registry}";\n  };`;
    common = textIn('common.nix').replace(stanzaIn, stanza.replace('};', ours));
    expect(common).toContain(`remote = "${lab.url}";`);
    expect([await stateOf('autark-enroll.service'), await stateOf('autark.service')]).toEqual([
      'active',
      'inactive',
    ]);
  });

  test('is approved, and from its first system on runs the agent of the module', async () => {
    const { world, server: hands } = lab.fleet;
    await push({ ...sharedFiles(), 'common.nix': common, 'flake.lock': await lockOf(nixos.autark) });
    await approveMachine(lab.fleet, 'server', enrolled, ['--system', 'nixos']);
    const yaml = await hands.git(['show', 'refs/heads/main:fleet.yaml']);
    const quick = yaml.replace('  server:\n', '  server:\n    timeouts: { fetch: 5s, switch: 20s }\n');
    const revision = await push({ 'fleet.yaml': quick });
    await server.must(['systemctl', 'kill', '--signal=HUP', 'autark-enroll.service']);
    await vi.waitUntil(async () => (await last())?.system?.revision !== undefined, patience);
    expect(await server.settles(revision)).toBe('deployed');
    await world.git(['pull', '--quiet']);

    expect([await stateOf('autark-enroll.service'), await stateOf('autark.service')]).toEqual([
      'inactive',
      'active',
    ]);
    expect(await running()).toMatch(/^AUTARK_PROGRAM=\/nix\/store\/\S+-autark-[\d.]+\/bin\/autark$/m);
    expect(await server.must(['readlink', '/etc/autark/agent.yaml'])).toMatch(/^\/etc\/static\//);
    await server.must(['getent', 'passwd', 'autark-git', 'autark-build']);
    expect(await last()).toMatchObject({ guarantees: [] });
    expect(await nixos.sh('autark doctor || true')).toMatch(
      /ok +units +autark\.service is enabled and active/,
    );
  });

  test('has an early secret before its users are made, at each boot', async () => {
    const { world } = lab.fleet;
    const hash = '$6$early$0123456789';
    const set = await world.autark(
      ['secret', 'set', 'alice-password', '--host', 'server', '--early', '--push'],
      { input: hash },
    );
    expect(set.code, set.stderr).toBe(0);
    common = common.replace('/var/lib/passwords/alice', '/run/autark/secrets/alice-password');
    const revision = await push({ 'common.nix': common });
    expect(await server.settles(revision)).toBe('deployed');
    const shadow = async (): Promise<string> =>
      (await server.must(['getent', 'shadow', 'alice'])).split(':')[1] ?? '';
    expect(await shadow()).toBe(hash);
    // What is made at the boot can have it from nowhere else.
    await server.must(['userdel', 'alice']);
    await server.reboot();
    expect(await shadow()).toBe(hash);
    expect([await stateOf('autark.service'), await stateOf('autark-secrets.service')]).toEqual([
      'active',
      'active',
    ]);
  });

  test('needs nothing that was installed by hand, and nothing that garbage collection takes', async () => {
    await nixos.sh('nix --extra-experimental-features "nix-command flakes" profile remove autark');
    await server.must(['nix-collect-garbage', '--delete-old']);
    const revision = await push({ 'common.nix': motd('tidy') });
    expect(await server.settles(revision)).toBe('deployed');
    expect(await server.must(['cat', '/etc/motd'])).toBe('tidy');
    await server.must(['systemctl', 'restart', 'autark.service']);
    expect(await nixos.sh('autark --version')).toBe(version);
  });

  /** Another version of autark, beside the first. */
  const another = (name: string, changed: string, change: (text: string) => string): string => {
    const folder = join(nixos.autark, '..', `autark-${name}`);
    cpSync(nixos.autark, folder, { recursive: true });
    for (const file of ['package.json', 'shared/version.ts', changed]) {
      const text = readFileSync(join(folder, file), 'utf8').replace(version, name);
      writeFileSync(join(folder, file), file === changed ? change(text) : text);
    }
    return folder;
  };

  test('is served by the newer agent that a revision brings, once that has confirmed it', async () => {
    const newer = another('9.1.0', 'shared/version.ts', (text) => text);
    const revision = await push({ 'flake.lock': await lockOf(newer), 'common.nix': motd('newer') });
    expect(await server.settles(revision)).toBe('deployed');
    expect(await last()).toMatchObject({ agent: { version: '9.1.0' } });
    expect(await running()).toMatch(/^AUTARK_PROGRAM=\S+-autark-9\.1\.0\/bin\/autark$/m);
    expect(await server.must(['pgrep', '--count', '--full', '[m]ain.js agent'])).toBe('1');
  });

  test('keeps its agent while it tries a system with another', async () => {
    const ref = 'refs/heads/testing/server';
    const tried = another('9.2.0', 'shared/version.ts', (text) => text);
    const files = { 'flake.lock': await lockOf(tried), 'common.nix': motd('tried') };
    await lab.fleet.server.commit({ files, ref });
    await vi.waitUntil(async () => (await last())?.outcome.event === 'testing', patience);
    expect(await server.must(['cat', '/etc/motd'])).toBe('tried');
    // Whoever would be replaced is so after one cycle, each of which asks the server.
    const before = await running();
    expect(await server.must(['systemctl', 'show', '--property=Environment', 'autark.service'])).toMatch(
      /AUTARK_PROGRAM=\S+-autark-9\.2\.0\//,
    );
    const polls = (): number => lab.ssh.log().split('Accepted publickey').length;
    const enough = polls() + 5;
    await vi.waitUntil(() => polls() >= enough, patience);
    expect(await running()).toBe(before);
    expect(before).toMatch(/^AUTARK_PROGRAM=\S+-autark-9\.1\.0\/bin\/autark$/m);
    await lab.fleet.server.git(['update-ref', '-d', ref]);
    await vi.waitUntil(async () => (await server.must(['cat', '/etc/motd'])) === 'newer', patience);
    expect(await running()).toBe(before);
  });

  test('is served by the agent of before again, once a newer one has gone back from what it came with', async () => {
    const newer = another('9.4.0', 'shared/version.ts', (text) => text);
    const check = { executable: '#!/bin/sh\n! grep -q unwell /etc/motd\n' };
    const yaml = await lab.fleet.server.git(['show', 'refs/heads/main:fleet.yaml']);
    const checked = yaml.replace('  server:\n', '  server:\n    health: [{ command: check, retries: 0 }]\n');
    const files = { 'flake.lock': await lockOf(newer), 'common.nix': motd('unwell'), check };
    const revision = await push({ ...files, 'fleet.yaml': checked });
    await vi.waitUntil(async () => (await last())?.outcome.attempted === revision, patience);
    expect(await last()).toMatchObject({
      agent: { version: '9.4.0' },
      outcome: { event: 'rolled-back', code: 40 },
    });
    await vi.waitUntil(
      async () => (await running().catch(() => 'between two')).includes('-autark-9.1.0/'),
      patience,
    );
    expect(await server.must(['cat', '/etc/motd'])).toBe('newer');
    await vi.waitUntil(async () => (await stateOf('autark.service')) === 'active', patience);
  });

  test('goes back from one that does not begin, to the agent of before', async () => {
    const broken = another('9.3.0', 'agent/serve.ts', (text) => {
      const begin = 'export async function serve(';
      return text.replace(begin, `throw new Error('no');\n${begin}`);
    });
    const revision = await push({ 'flake.lock': await lockOf(broken), 'common.nix': motd('broken') });
    await vi.waitUntil(async () => (await last())?.outcome.attempted === revision, {
      timeout: 300_000,
      interval: 500,
    });
    const status = await last();
    expect(status?.outcome).toMatchObject({ event: 'rolled-back', code: 40 });
    expect(status?.agent.version).toBe('9.1.0');
    expect(await running()).toMatch(/^AUTARK_PROGRAM=\S+-autark-9\.1\.0\/bin\/autark$/m);
    expect(await server.must(['cat', '/etc/motd'])).toBe('newer');
    const mended = await push({ 'flake.lock': await lockOf(nixos.autark), 'common.nix': motd('mended') });
    expect(await server.settles(mended)).toBe('deployed');
    expect((await last())?.agent.version).toBe(version);
    expectChain(await server.records(), 'after a broken agent');
  });
});
