import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { type Fleet, makeFleet } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { endAll } from '../rig/processes.ts';
import { must, run } from '../rig/run.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';
import { writeKey } from '../rig/world.ts';
import {
  example,
  expectConfined,
  expectReplaced,
  expectTrial,
  expectWholeLife,
  moveClone,
  type OwnServer,
  sshWith,
} from './git-server-rules.ts';

/** Milliseconds for one test: each call over ssh takes its time on a machine that is busy. */
const patience = 240_000;

/** gitolite in a home of its own below the fleet's folder: no user is made, and nothing is left. */
async function startGitolite(fleet: Fleet): Promise<{ readonly home: string; readonly ssh: SshServer }> {
  const { dir, env } = fleet.world;
  const home = join(dir, 'gitolite');
  mkdirSync(home);
  const alice = join(dir, 'alice.pub');
  writeFileSync(alice, `${formatPublicKey(fleet.admin.publicBlob)} alice\n`);
  await must('gitolite', ['setup', '-pk', alice], { cwd: home, env: { ...env, HOME: home } });
  const ssh = await startSshServer(dir, {
    user: { home, authorizedKeys: join(home, '.ssh/authorized_keys') },
  });
  return { home, ssh };
}

/** The admin's clone of gitolite-admin, with the example's lines in it. */
async function openAdmin(fleet: Fleet, ssh: SshServer) {
  const folder = join(fleet.world.dir, 'gitolite-admin');
  const GIT_SSH_COMMAND = sshWith({ fleet, ssh }, fleet.world.adminKey);
  const env = { ...fleet.world.env, GIT_SSH_COMMAND };
  await must('git', ['clone', '--quiet', ssh.url('/gitolite-admin'), folder], { env });
  const conf = join(folder, 'conf/gitolite.conf');
  const added = readFileSync(join(example, 'gitolite.conf'), 'utf8');
  const publish = async (): Promise<void> => {
    for (const args of [
      ['add', '.'],
      ['commit', '--quiet', '--message', 'Change'],
      ['push', '--quiet'],
    ])
      await must('git', args, { cwd: folder, env });
  };
  writeFileSync(conf, `${readFileSync(conf, 'utf8')}\n${added}`);
  await publish();
  return {
    letIn: (name: string, publicKey: string): Promise<void> => {
      writeFileSync(join(folder, 'keydir', `${name}.pub`), publicKey);
      return publish();
    },
  };
}

/** A fleet in a repository that gitolite makes and guards. */
async function start(fleet: Fleet): Promise<OwnServer> {
  const { home, ssh } = await startGitolite(fleet);
  const { letIn } = await openAdmin(fleet, ssh);
  const server = { fleet, ssh, url: ssh.url('/fleet') };
  await moveClone(server);
  renameSync(fleet.world.remote, join(fleet.world.dir, 'before.git'));
  symlinkSync(join(home, 'repositories/fleet.git'), fleet.world.remote);
  await fleet.world.git(['push', '--quiet', '--set-upstream', 'origin', 'main']);
  return { ...server, letIn };
}

describeWith(
  ['sshd', 'ssh-keygen', 'gitolite'],
  'a repository behind gitolite, as examples/git-server has it',
  () => {
    let fleet: Fleet;
    let server: OwnServer | undefined;
    const started = (): OwnServer => {
      if (server === undefined) throw new Error('gitolite did not start');
      return server;
    };

    beforeAll(async () => {
      fleet = await makeFleet('autark-gitolite');
      server = await start(fleet);
    }, patience);
    afterAll(async () => {
      // By the folder's name in its arguments, which reaches an sshd too that nobody holds yet.
      endAll(fleet.world.dir);
      await fleet.world.remove();
    });

    test(
      'a host enrols, is approved, delivers its record and removes its enrolment',
      { timeout: patience },
      () => expectWholeLife(started()),
    );

    test('an admin pushes a trial and takes it back', { timeout: patience }, () => expectTrial(started()));

    test('a host puts back its records where others wrote', { timeout: patience }, () =>
      expectReplaced(started()),
    );

    test('a host writes neither main nor anything of others', { timeout: patience }, () =>
      expectConfined(started()),
    );

    test('whoever is in no list of gitolite.conf does not even read', async () => {
      const path = join(fleet.world.dir, 'stranger_key');
      const { publicBlob } = await writeKey(path, 'stranger');
      await started().letIn('stranger', `${formatPublicKey(publicBlob)} stranger\n`);
      const env = { ...fleet.world.env, GIT_SSH_COMMAND: sshWith(started(), path) };
      const ran = await run('git', ['ls-remote', started().url], { env });
      expect(ran.code).not.toBe(0);
      expect(ran.stderr).toContain('DENIED');
      expect(ran.stdout).toBe('');
    });
  },
);
