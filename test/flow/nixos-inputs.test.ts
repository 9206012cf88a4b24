import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Files } from '../rig/fleet.ts';
import { type HttpsServer, startHttpsServer } from '../rig/https-server.ts';
import { setSettings } from '../rig/interval.ts';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { must } from '../rig/run.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';
import { type Spy, startSpy } from '../rig/spy.ts';
import { writeKey } from '../rig/world.ts';

const patience = 120_000;
const token = 'T0ken-of-the-host';

/** Where the library is, what its lock says, and how a flake names it. */
interface Library {
  readonly rev: string;
  readonly narHash: string;
  readonly lastModified: number;
}

describeWith(['nix', 'sshd', 'nginx'], 'a private input of a flake', () => {
  let fleet: NixosFleet;
  let ssh: SshServer;
  let https: HttpsServer;
  let spy: Spy;
  let library: Library;
  beforeAll(async () => {
    fleet = await makeNixosFleet();
    const { dir } = fleet.world;
    ssh = await startSshServer(dir);
    https = await startHttpsServer(dir, dir);
    spy = await startSpy(fleet.world);
    library = await makeLibrary(fleet);
  }, patience);
  afterAll(async () => {
    await ssh.stop();
    await https.stop();
    await fleet.world.remove();
  });
  beforeEach(async () => {
    const { host, server } = fleet;
    await server.commit({ files: { ...nixosFiles({ web1: { motd: 'plain' } }), 'flake.lock': null } });
    expect((await host.agent()).code).toBe(0);
    await host.store.nix('nix-collect-garbage');
  });
  afterEach(() => {
    setSettings(fleet.host, { gitKey: null, knownHosts: null, tokenFile: null, remote: fleet.world.remote });
  });

  const deploy = async (files: Files, env: Readonly<Record<string, string>> = {}) => {
    await fleet.server.commit({ files });
    return fleet.host.agent({ env: { PATH: spy.env['PATH'] ?? '', ...env } });
  };

  test(
    'is fetched over ssh with the host’s gitKey and knownHosts, and with nothing else',
    async () => {
      const { host, world } = fleet;
      const key = join(world.dir, 'git_key');
      const known = join(world.dir, 'known_hosts');
      await writeKey(key, 'web1');
      writeFileSync(known, '');
      setSettings(host, { gitKey: key, knownHosts: known });
      const files = flakeWith(ssh.url(join(world.dir, 'library.git')).replace('ssh:', 'git+ssh:'), library);

      const unknown = await deploy(files);
      expect(unknown.code, unknown.stderr).toBe(50);
      expect(unknown.stderr).toContain('an input of the flake cannot be fetched');
      expect(unknown.stderr).toContain('Host key verification failed');
      writeFileSync(known, ssh.knownHost());

      const refused = await host.agent();
      expect(refused.code, refused.stderr).toBe(50);
      expect(host.motd()).toBe('plain');
      ssh.allow(await must('ssh-keygen', ['-y', '-f', key], { env: world.env }), 'web1');

      const ran = await host.agent();
      expect(ran.code, ran.stderr).toBe(0);
      expect(host.motd()).toBe('from the library');
    },
    patience,
  );

  test(
    'is fetched over https with the host’s token, which is seen nowhere',
    async () => {
      const { host, world } = fleet;
      const tokenFile = join(world.dir, 'token');
      writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
      https.allow({ autark: 'another' });
      setSettings(host, { tokenFile, remote: https.url('fleet.git') });
      const env = { GIT_SSL_CAINFO: https.authority };
      const files = flakeWith(`git+${https.url('library.git')}`, library);
      https.allow({ autark: token });

      const ran = await deploy(files, env);
      expect(ran.code, ran.stderr).toBe(0);
      expect(host.motd()).toBe('from the library');
      const encoded = Buffer.from(`autark:${token}`).toString('base64');
      for (const secret of [token, encoded]) {
        expect(ran.stderr).not.toContain(secret);
        expect(spy.seen()).not.toContain(secret);
        for (const { body, status } of await host.records()) {
          expect(`${body}${JSON.stringify(status)}`).not.toContain(secret);
        }
      }
      expect(spy.seen()).toContain('library.git');
      expect(readFileSync(host.path('var/lib/autark/nix/.netrc'), 'utf8')).toContain(token);
    },
    patience,
  );
});

/** A flake in a repository of its own, and what Nix says of its content. */
async function makeLibrary({ world, host }: NixosFleet): Promise<Library> {
  const { env } = world;
  const work = join(world.dir, 'library');
  await must('git', ['init', '--quiet', '--initial-branch=main', work], { env });
  writeFileSync(join(work, 'flake.nix'), '{ outputs = _: { motd = "from the library"; }; }\n');
  await must('git', ['add', '--all'], { env, cwd: work });
  await must('git', ['commit', '--quiet', '--message', 'Say something'], { env, cwd: work });
  await must('git', ['clone', '--quiet', '--bare', work, join(world.dir, 'library.git')], { env });
  const features = ['--extra-experimental-features', 'nix-command flakes'];
  const flake = `git+file://${work}?ref=main`;
  const said = JSON.parse(await host.store.nix('nix', ...features, 'flake', 'metadata', '--json', flake)) as {
    locked: Library;
  };
  return said.locked;
}

/** A system that shows what its input says, with the lock file that `nix flake lock` would make. */
function flakeWith(address: string, { rev, narHash, lastModified }: Library): Files {
  const url = address.replace(/^git\+/, '');
  const original = { type: 'git', url, ref: 'main' };
  const nodes = {
    library: { locked: { ...original, rev, narHash, lastModified, revCount: 1 }, original },
    root: { inputs: { library: 'library' } },
  };
  return {
    ...nixosFiles({}),
    'flake.nix': `{
  inputs.library.url = "${address}?ref=main";
  outputs = { self, library }: {
    nixosConfigurations.web1 = import ./system.nix self { name = "web1"; inherit (library) motd; };
  };
}
`,
    'flake.lock': `${JSON.stringify({ nodes, root: 'root', version: 7 }, null, 2)}\n`,
  };
}
