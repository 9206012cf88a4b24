import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Access } from '../../agent/adapters/git/access.ts';
import type { Git } from '../../agent/git-ports.ts';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';
import { bounds, type GitRig, gitRig } from './git-rig.ts';

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

describeWith(['sshd', 'ssh-keygen'], 'a remote over ssh', () => {
  let folder: string;
  let ssh: SshServer;
  let key: string;
  let publicKey: string;
  let knownHosts: string;
  let rig: GitRig;
  let head: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'autark-ssh-'));
    ssh = await startSshServer(folder);
    key = join(folder, 'id_ed25519');
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'web1', '-f', key], { env });
    publicKey = readFileSync(`${key}.pub`, 'utf8');
  });
  afterAll(async () => {
    await ssh.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    rig = gitRig();
    head = rig.commit('main', 'one');
    knownHosts = join(rig.folder, 'known_hosts');
    writeFileSync(knownHosts, ssh.knownHost());
    ssh.forgetKeys();
    ssh.allow(publicKey, 'web1');
  });

  const open = (more: Partial<Access> = {}, path = rig.remote): Git =>
    rig.open({ remote: ssh.url(path), access: { gitKey: key, knownHosts: [knownHosts], ...more }, env });
  const fingerprint = async (file: string): Promise<string> =>
    (await must('ssh-keygen', ['-lf', file], { env })).split(' ')[1] ?? '';

  test('is fetched from and pushed to with the key that the settings name, and with no other', async () => {
    const git = open();
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    const ref = 'refs/heads/state/web1';
    valueOf(await git.push([{ ref, to: head, expected: null }], bounds()));
    expect(rig.at(['rev-parse', ref])).toBe(head);
    // sshd names each key that it was offered.
    const offered = new Set(ssh.log().match(/SHA256:\S+/g));
    expect([...offered]).toEqual([await fingerprint(`${key}.pub`)]);
  });

  test('its files may lie anywhere', async () => {
    const odd = join(rig.folder, `a "b" 'c' %h $HOME \\d`);
    mkdirSync(odd);
    copyFileSync(key, join(odd, 'key'));
    chmodSync(join(odd, 'key'), 0o600);
    copyFileSync(knownHosts, join(odd, 'known'));
    const others = [join(odd, 'none'), join(odd, 'known')];
    const git = open({ gitKey: join(odd, 'key'), knownHosts: others });
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
  });

  test('whose host key nobody knows is refused, and what the failure says mends it', async () => {
    writeFileSync(knownHosts, '');
    const git = open();
    const failure = failureOf(await git.fetchHead(bounds()));
    expect(failure).toMatchObject({ kind: 'unreachable', where: ssh.url(rig.remote) });
    expect(failure.cause).toBe(
      `the server's ED25519 host key is not known: [127.0.0.1]:${ssh.port} is not in ${knownHosts}`,
    );
    const scan = `ssh-keyscan -p ${ssh.port} 127.0.0.1 >> ${knownHosts}`;
    expect(failure.remedy).toContain(`${scan}, and compare the fingerprint (ssh-keygen -lf ${knownHosts})`);
    // Nothing was learned by itself.
    expect(readFileSync(knownHosts, 'utf8')).toBe('');
    await must('sh', ['-c', scan], { env });
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
  });

  test('that shows another host key is refused, by name and fingerprint', async () => {
    const git = open();
    valueOf(await git.fetchHead(bounds()));
    await ssh.changeHostKey();
    const failure = failureOf(await git.fetchHead(bounds()));
    const print = await fingerprint(join(folder, 'sshd', 'host_key.pub'));
    expect(failure).toMatchObject({
      kind: 'unreachable',
      cause: `the host key of 127.0.0.1 is not the one known: it shows ED25519 ${print}`,
    });
    expect(failure.remedy).toContain(`ssh-keygen -R '[127.0.0.1]:${ssh.port}' -f FILE`);
    expect(failure.remedy).toContain(knownHosts);
    writeFileSync(knownHosts, ssh.knownHost());
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
  });

  test('that does not know the key says which one to register; then it goes on', async () => {
    ssh.forgetKeys();
    const git = open();
    const failure = failureOf(await git.fetchHead(bounds()));
    expect(failure).toMatchObject({
      kind: 'unreachable',
      cause: 'the server refuses the key of this host (publickey)',
    });
    expect(failure.remedy).toContain(`register ${key}.pub at the server`);
    ssh.allow(publicKey, 'web1');
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
  });

  test.each([
    ['is not there', () => undefined],
    [
      'is open to others',
      (file: string) => {
        copyFileSync(key, file);
        chmodSync(file, 0o644);
      },
    ],
    [
      'is no key',
      (file: string) => {
        writeFileSync(file, 'no key\n', { mode: 0o600 });
      },
    ],
  ])('a key that %s is named', async (_how, make) => {
    const gitKey = join(rig.folder, 'other');
    make(gitKey);
    const failure = failureOf(await open({ gitKey }).fetchHead(bounds()));
    expect(failure).toMatchObject({ kind: 'unreachable', cause: `ssh cannot use the key ${gitKey}` });
  });

  test('without that repository says so', async () => {
    const failure = failureOf(await open({}, join(rig.folder, 'none')).fetchHead(bounds()));
    expect(failure.cause).toContain(`no repository at ${ssh.url(join(rig.folder, 'none'))}`);
    expect(failure.remedy).toContain('check the path of remote in agent.yaml');
  });

  test('whose name the DNS does not know, or where nobody listens, is named', async () => {
    const access = { gitKey: key, knownHosts: [knownHosts] };
    const named = rig.open({ remote: 'ssh://git@nowhere.invalid/x', access, env });
    expect(failureOf(await named.fetchHead(bounds())).cause).toBe(
      'the name nowhere.invalid cannot be resolved',
    );
    const closed = rig.open({ remote: 'ssh://git@127.0.0.1:1/x', access, env });
    expect(failureOf(await closed.fetchHead(bounds())).cause).toBe(
      'nothing takes connections at 127.0.0.1, port 1',
    );
  });

  test('of several pushers, each writes only where the server lets it', async () => {
    const hook = join(rig.remote, 'hooks', 'update');
    writeFileSync(
      hook,
      '#!/bin/sh\n[ "$1" = "refs/heads/state/$HOSTID" ] || { echo "not yours"; exit 1; }\n',
    );
    chmodSync(hook, 0o755);
    onTestFinished(() => {
      rmSync(hook, { force: true });
    });
    const git = open();
    valueOf(await git.fetchHead(bounds()));
    valueOf(await git.push([{ ref: 'refs/heads/state/web1', to: head, expected: null }], bounds()));
    const failure = failureOf(
      await git.push([{ ref: 'refs/heads/state/web2', to: head, expected: null }], bounds()),
    );
    expect(failure.kind).toBe('push-refused');
    expect(failure.cause).toContain('not yours');
    expect(rig.at(['for-each-ref', '--format=%(refname)', 'refs/heads/state'])).toBe('refs/heads/state/web1');
  });
});
