import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { type Front, startFront } from '../rig/front.ts';
import { setSettings } from '../rig/interval.ts';
import { describeWith } from '../rig/needs.ts';
import { endAll } from '../rig/processes.ts';
import { must } from '../rig/run.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';

/** Milliseconds for one test: each call over ssh takes its time on a machine that is busy. */
const patience = 240_000;

/** Lets each machine write its own branches, by the name that its key goes by on the server (githooks(5), update). */
const ownBranchesOnly = `#!/bin/sh
case $1 in refs/heads/state/$HOSTID | refs/heads/enroll/$HOSTID/*) exit 0 ;; esac
echo "$1 is not for \${HOSTID:-you}"
exit 1
`;

describeWith(['sshd', 'ssh-keygen'], 'a fleet over ssh', () => {
  let fleet: Fleet;
  let ssh: SshServer;
  let front: Front;
  let host: FleetHost;
  let daemon: Daemon | undefined;
  const hook = (): string => join(fleet.world.remote, 'hooks/update');

  beforeAll(async () => {
    fleet = await makeFleet('autark-ssh');
    ssh = await startSshServer(fleet.world.dir);
    front = await startFront(ssh.port);
    host = fleet.at('web1');
    // The admin's own pushes go to the folder itself.
    mkdirSync(dirname(hook()), { recursive: true });
  });
  afterAll(async () => {
    await daemon?.kill();
    await front.stop();
    await ssh.stop();
    endAll(fleet.world.dir);
    await fleet.world.remove();
  });

  const enroll = (name: string) =>
    fleet.world.autark([
      ...['enroll', '--root', fleet.world.root(name), '--remote', ssh.url(fleet.world.remote)],
      ...['--host', name, '--introduction', fleet.introduction],
    ]);
  const publicKey = (of: FleetHost): string =>
    readFileSync(of.path('var/lib/autark/git/id_ed25519.pub'), 'utf8');

  test(
    'a machine enrols as it is told to, step by step, and then deploys and pushes',
    async () => {
      const knownHosts = host.path('etc/autark/known_hosts');
      const unknown = await enroll('web1');
      expect(unknown.code).toBe(50);
      const scan = `ssh-keyscan -p ${ssh.port} 127.0.0.1 >> ${knownHosts}`;
      expect(unknown.stderr).toContain(scan);
      const key = publicKey(host);
      expect(unknown.stderr).toContain(`\n  ${key.trim()}\n`);
      await must('sh', ['-c', scan], { env: fleet.world.env });
      // As if the plug had been pulled before the second half of the key was written.
      rmSync(host.path('var/lib/autark/git/id_ed25519.pub'));

      const refused = await enroll('web1');
      expect(refused.code).toBe(50);
      expect(refused.stderr).toContain('the server refuses the key of this host (publickey)');
      expect(refused.stderr).toContain(`\n  ${publicKey(host).trim()}\n`);
      expect(refused.stdout).toBe('');
      ssh.allow(key, 'web1');

      const enrolled = await enroll('web1');
      expect(enrolled.code, enrolled.stderr).toBe(0);
      // One key from the first call to the last, its owner's alone; and another than the one that signs.
      const gitKey = host.path('var/lib/autark/git/id_ed25519');
      expect(publicKey(host).split(' ')[1]?.trim()).toBe(key.split(' ')[1]);
      expect(statSync(gitKey).mode & 0o777).toBe(0o600);
      expect(readFileSync(host.path('etc/autark/agent.yaml'), 'utf8')).toContain(`gitKey: ${gitKey}\n`);
      expect(readFileSync(host.path('var/lib/autark/key.pub'), 'utf8')).not.toContain(key.split(' ')[1]);

      await fleet.approve('web1', enrolled.stdout.split('\n')[0] ?? '');
      await fleet.server.commit({ files: execHost('web1', 'hello over ssh') });
      writeFileSync(hook(), ownBranchesOnly, { mode: 0o755 });
      const ran = await host.agent();
      expect(ran.code, ran.stderr).toBe(0);
      expect(host.motd()).toBe('hello over ssh');
      expectChain(await host.records(), 'over ssh');
      expect(await fleet.server.git(['for-each-ref', 'refs/heads/enroll'])).toBe('');
      expectAtRest(host, 'over ssh');
    },
    patience,
  );

  test(
    'a state branch that the server refuses is named (51), kept, and pushed once it takes it',
    async () => {
      writeFileSync(hook(), ownBranchesOnly.replaceAll('$HOSTID', 'web2'));
      const revision = await fleet.server.commit({ files: execHost('web1', 'refused') });
      const ran = await host.agent();
      expect(ran.code).toBe(51);
      expect(ran.stderr).toContain('refs/heads/state/web1 is not for');
      expect(host.motd()).toBe('refused');
      writeFileSync(hook(), ownBranchesOnly);
      expect((await host.agent()).code).toBe(0);
      expect((await newest(host)).status.system?.revision).toBe(revision);
      expectAtRest(host, 'after the server took it');
    },
    patience,
  );

  test(
    'the Git directory may go; the key beside it stays, and opens the server again',
    async () => {
      const key = publicKey(host);
      rmSync(host.path('var/lib/autark/git/fleet.git'), { recursive: true });
      await fleet.server.commit({ files: execHost('web1', 'fetched anew') });
      expect((await host.agent()).code).toBe(0);
      expect(host.motd()).toBe('fetched anew');
      expect(publicKey(host)).toBe(key);
    },
    patience,
  );

  test(
    'a running agent names what is wrong with its server, and goes on by itself once that is mended',
    async () => {
      await fleet.server.commit({
        files: { 'fleet.yaml': fleet.fleetYaml('web1', ['timeouts: { fetch: 6s }']) },
      });
      expect((await host.agent()).code).toBe(0);
      const knownHosts = host.path('etc/autark/known_hosts');
      const known = readFileSync(knownHosts, 'utf8');
      writeFileSync(knownHosts, known.replaceAll(`]:${ssh.port} `, `]:${front.port} `));
      setSettings(host, {
        remote: ssh.url(fleet.world.remote).replace(`:${ssh.port}/`, `:${front.port}/`),
        interval: '100ms',
      });
      const revision = await fleet.server.commit({ files: execHost('web1', 'mended') });
      front.be({ kind: 'silent' });
      daemon = startDaemon(fleet.world, host);
      const saying = async (words: string): Promise<void> => {
        for (;;) {
          const { message } = (await daemon?.next({ event: 'failure', code: 50 })) ?? { message: words };
          if (message.includes(words)) return;
        }
      };
      await saying('git fetch took longer than 6 s');
      front.be({ kind: 'stalls', after: 1500 });
      await saying('git fetch took longer than 6 s');
      front.be({ kind: 'floods', bytes: `${'x'.repeat(1000)}\n` });
      await saying('does not speak as a Git server does');
      ssh.forgetKeys();
      front.be({ kind: 'honest' });
      await saying('refuses the key of this host');
      ssh.allow(publicKey(host), 'web1');
      writeFileSync(knownHosts, '');
      await saying('host key is not known');
      expect(host.motd()).toBe('fetched anew');
      writeFileSync(knownHosts, known.replaceAll(`]:${ssh.port} `, `]:${front.port} `));
      await daemon.next({ event: 'recorded', record: 'deployed', revision });
      await daemon.next({ event: 'delivered' });
      expect(host.motd()).toBe('mended');
      expectChain(await host.records(), 'after all that');
    },
    patience,
  );
});
