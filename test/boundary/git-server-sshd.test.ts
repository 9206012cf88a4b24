import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { installHook, lineFor } from '../rig/git-server-example.ts';
import { endAll } from '../rig/processes.ts';
import { must, run, type RanProgram } from '../rig/run.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';
import { writeKey } from '../rig/world.ts';
import {
  example,
  expectConfined,
  expectReplaced,
  expectTrial,
  expectWholeLife,
  gitKeyOf,
  moveClone,
  type OwnServer,
  sshWith,
} from './git-server-rules.ts';

/** Milliseconds for one test: each call over ssh takes its time on a machine that is busy. */
const patience = 240_000;

/** A fleet in a bare repository with the example's hook, behind sshd with the example's lines. */
async function start(fleet: Fleet): Promise<OwnServer> {
  const ssh = await startSshServer(fleet.world.dir);
  installHook(fleet.world.remote);
  const url = ssh.url(fleet.world.remote);
  ssh.authorize(lineFor('alice', formatPublicKey(fleet.admin.publicBlob)));
  await moveClone({ fleet, ssh, url });
  return {
    ...{ fleet, ssh, url },
    letIn: (host, publicKey) => {
      ssh.authorize(lineFor(host, publicKey));
      return Promise.resolve();
    },
  };
}

describeWith(
  ['sshd', 'ssh-keygen'],
  'a bare repository behind plain sshd, as examples/git-server has it',
  () => {
    let fleet: Fleet;
    let server: OwnServer;
    let ssh: SshServer;

    beforeAll(async () => {
      fleet = await makeFleet('autark-git-server');
      server = await start(fleet);
      ssh = server.ssh;
    });
    afterAll(async () => {
      // By the folder's name in its arguments, which reaches an sshd too that nobody holds yet.
      endAll(fleet.world.dir);
      await fleet.world.remove();
    });

    test(
      'a host enrols, is approved, delivers its record and removes its enrolment',
      { timeout: patience },
      () => expectWholeLife(server),
    );

    test('an admin pushes a trial and takes it back', { timeout: patience }, () => expectTrial(server));

    test('a host puts back its records where others wrote', { timeout: patience }, () =>
      expectReplaced(server),
    );

    test('a host writes neither main nor anything of others', { timeout: patience }, () =>
      expectConfined(server),
    );

    /** A push of main's head to a branch by somebody with a key of their own. */
    const pushAs = async (line: (publicKey: string) => string, ref: string): Promise<RanProgram> => {
      const { dir, env, clone } = fleet.world;
      const path = join(dir, 'stranger_key');
      const { publicBlob } = await writeKey(path, 'stranger');
      ssh.authorize(line(formatPublicKey(publicBlob)));
      const args = ['push', '--no-verify', 'origin', `HEAD:${ref}`];
      return run('git', args, { cwd: clone, env: { ...env, GIT_SSH_COMMAND: sshWith(server, path) } });
    };
    const as = (pusher: string) => (publicKey: string) =>
      lineFor('web1', publicKey).replace('AUTARK_PUSHER=host:web1', pusher);

    test.each([
      ['', 'refs/heads/other'],
      ['AUTARK_PUSHER=', 'refs/heads/other'],
      ['AUTARK_PUSHER=host:', 'refs/heads/state/'],
      ["AUTARK_PUSHER='host:*'", 'refs/heads/state/web2'],
      ["AUTARK_PUSHER='host:../heads'", 'refs/heads/other'],
      ['AUTARK_PUSHER=alice', 'refs/heads/main2'],
    ])('a key with %j in its line writes nothing', async (pusher, ref) => {
      const before = await fleet.server.git(['for-each-ref']);
      const { code, stderr } = await pushAs(as(pusher), ref.replace(/\/$/, '/x'));
      expect(code).not.toBe(0);
      expect(stderr).toMatch(/authorized_keys/);
      expect(stderr).toMatch(/hook declined/);
      expect(await fleet.server.git(['for-each-ref'])).toBe(before);
    });

    test('a refusal says which branch, whose it is not, and what a host may write', async () => {
      const { stderr } = await pushAs(as('AUTARK_PUSHER=host:web2'), 'refs/heads/testing/web2');
      expect(stderr).toContain('refs/heads/testing/web2 is not for web2');
      expect(stderr).toContain('a host writes state/web2 and enroll/web2/* alone');
    });

    test('nobody gets a shell, and nobody says who they are', async () => {
      const { env } = fleet.world;
      const [program = '', ...options] = sshWith(server, gitKeyOf(fleet.at('web1'))).split(' ');
      const there = ['-o', 'SetEnv=AUTARK_PUSHER=admin', '-p', String(ssh.port), '127.0.0.1'];
      const ran = await run(program, [...options, ...there, 'id; env'], { env });
      expect(ran.code).not.toBe(0);
      expect(ran.stdout).toBe('');
      const args = ['push', '--no-verify', 'origin', 'HEAD:refs/heads/other'];
      const GIT_SSH_COMMAND = `${program} ${options.join(' ')} -o SetEnv=AUTARK_PUSHER=admin`;
      const pushed = await run('git', args, {
        cwd: fleet.world.clone,
        env: { ...env, GIT_SSH_COMMAND },
      });
      expect(pushed.stderr).toContain('refs/heads/other is not for web1');
    });
  },
);

test('the hook is POSIX sh and executable, as the README installs it', async () => {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
  const refused = await run(join(example, 'update'), ['refs/heads/main', '0', '1'], { env });
  expect(refused.code).toBe(1);
  await must(join(example, 'update'), ['refs/heads/main', '0', '1'], {
    env: { ...env, AUTARK_PUSHER: 'admin' },
  });
});
