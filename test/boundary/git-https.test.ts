import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { GitPlace } from '../../agent/adapters/git/git.ts';
import type { Git } from '../../agent/git-ports.ts';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { startForwardProxy } from '../rig/forward-proxy.ts';
import { type HttpsServer, startHttpsServer } from '../rig/https-server.ts';
import { describeWith } from '../rig/needs.ts';
import { listenOn } from '../rig/served.ts';
import { bounds, type GitRig, gitRig } from './git-rig.ts';

const path = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

describeWith(['nginx'], 'a remote over https', () => {
  let folder: string;
  let https: HttpsServer;
  let rig: GitRig;
  let head: string;
  let tokenFile: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'autark-https-'));
    // Where gitRig makes its repositories.
    https = await startHttpsServer(folder, tmpdir());
  });
  afterAll(async () => {
    await https.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    rig = gitRig();
    head = rig.commit('main', 'one');
    tokenFile = join(rig.folder, 'token');
    writeFileSync(tokenFile, 'T0ken-one\n', { mode: 0o600 });
    https.allow({ autark: 'T0ken-one' });
  });

  const url = (): string => https.url(rig.remote.slice(dirname(rig.folder).length + 1));
  const open = (more: Partial<GitPlace> = {}, env: Record<string, string> = {}): Git =>
    rig.open({
      remote: url(),
      access: { knownHosts: [], tokenFile },
      env: { ...path, GIT_SSL_CAINFO: https.authority, ...env },
      ...more,
    });

  test('is fetched from and pushed to with the token, and an idle poll leaves the disk alone', async () => {
    const git = open();
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    const ref = 'refs/heads/state/web1';
    valueOf(await git.push([{ ref, to: head, expected: null }], bounds()));
    expect(rig.at(['rev-parse', ref])).toBe(head);
    const files = (): unknown[] =>
      ['config', 'access.config', '.'].map((name) => {
        const { ino, mtimeMs, mode } = statSync(join(rig.directory, name));
        return { name, ino, mtimeMs, mode };
      });
    const before = files();
    valueOf(await git.fetchHead(bounds()));
    expect(files()).toEqual(before);
    // What holds the token is its owner's alone.
    expect(statSync(join(rig.directory, 'access.config')).mode & 0o777).toBe(0o600);
  });

  test('that takes the token no more names the file; a new token there is enough', async () => {
    const git = open();
    valueOf(await git.fetchHead(bounds()));
    https.allow({ autark: 'T0ken-two' });
    const failure = failureOf(await git.fetchHead(bounds()));
    expect(failure).toMatchObject({
      kind: 'unreachable',
      where: url(),
      cause: 'the server asks who we are, and does not take what it was told (401)',
    });
    expect(failure.remedy).toContain(`put a new token into ${tokenFile}`);
    expect(JSON.stringify(failure)).not.toContain('T0ken');
    writeFileSync(tokenFile, 'T0ken-two\n');
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
  });

  test('without a token says where to put one; user and password in its address are enough', async () => {
    const failure = failureOf(await open({ access: { knownHosts: [] } }).fetchHead(bounds()));
    expect(failure.cause).toContain('401');
    expect(failure.remedy).toBe('name a file with a token as tokenFile in agent.yaml');
    https.allow({ 'deploy 1': 'p@ss/word' });
    const remote = url().replace('://', '://deploy%201:p%40ss%2Fword@');
    expect(valueOf(await open({ remote, access: { knownHosts: [] } }).fetchHead(bounds()))).toBe(head);
    // The user of the address goes with the token, as deploy tokens want it.
    writeFileSync(tokenFile, 'p@ss/word\n');
    const user = url().replace('://', '://deploy%201@');
    expect(valueOf(await open({ remote: user }).fetchHead(bounds()))).toBe(head);
    const wrong = failureOf(
      await open({ remote: url().replace('://', '://deploy:wr0ngpass@') }).fetchHead(bounds()),
    );
    expect(wrong.remedy).toBe('correct the user and password in remote in agent.yaml');
    expect(JSON.stringify(wrong)).not.toMatch(/wr0ng|deploy:/);
  });

  test.each([
    [
      'is open to others',
      () => {
        chmodSync(tokenFile, 0o640);
      },
      /open to other users \(mode 0640\)/,
    ],
    [
      'is gone',
      () => {
        rmSync(tokenFile);
      },
      /it is not there/,
    ],
    [
      'is empty',
      () => {
        writeFileSync(tokenFile, '\n');
      },
      /first line is empty/,
    ],
    [
      'has two lines',
      () => {
        writeFileSync(tokenFile, 'T0ken-one\nT0ken-two\n');
      },
      /more than one line/,
    ],
    [
      'would end the header',
      () => {
        writeFileSync(tokenFile, 'T0ken-one\rX-Evil: 1\n');
      },
      /characters that no token has/,
    ],
    [
      'is a pipe',
      () => {
        rmSync(tokenFile);
        execFileSync('mkfifo', ['-m', '600', tokenFile]);
      },
      /not a file/,
    ],
    [
      'never ends',
      () => {
        writeFileSync(tokenFile, 'T0ken'.repeat(10_000));
      },
      /or too many/,
    ],
  ])(
    'a token file that %s is refused (2), and nothing is asked of the server',
    async (_how, spoil, cause) => {
      const git = open();
      valueOf(await git.fetchHead(bounds()));
      spoil();
      const failure = failureOf(await git.fetchHead(bounds()));
      expect(failure).toMatchObject({ kind: 'agent-config', where: tokenFile });
      expect(failure.cause).toMatch(cause);
      expect(JSON.stringify(failure)).not.toContain('T0ken');
      // What is here already can be read without it.
      valueOf(await git.read(head));
      rmSync(tokenFile, { force: true });
      writeFileSync(tokenFile, 'T0ken-one', { mode: 0o600 });
      expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    },
  );

  test('the token is for its server, and not for that of the state branches', async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(404).end();
    });
    const stateRemote = `http://127.0.0.1:${await listenOn(other)}/state.git`;
    onTestFinished(() => void other.close());
    const git = open({ stateRemote });
    valueOf(await git.fetchHead(bounds()));
    expect(failureOf(await git.fetchState(bounds())).where).toBe(stateRemote);
    expect(seen).toEqual([undefined]);
    // On the same server it is sent, for that is where it came from.
    rig.at(['update-ref', 'refs/heads/state/web1', head]);
    const same = open({ stateRemote: url() });
    expect(valueOf(await same.fetchState(bounds()))).toEqual({ id: head, isRefused: false });
  });

  test('each of two remotes on one server is sent its own login', async () => {
    https.allow({ reader: 'read-only-1', writer: 'write-too-2' });
    rig.at(['update-ref', 'refs/heads/state/web1', head]);
    const as = (login: string): string => url().replace('://', `://${login}@`);
    const [remote, stateRemote] = [as('reader:read-only-1'), `${as('writer:write-too-2')}/`];
    const git = open({ remote, stateRemote, access: { knownHosts: [] } });
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    expect(valueOf(await git.fetchState(bounds()))).toEqual({ id: head, isRefused: false });
  });

  test('whose certificate nobody vouches for is refused', async () => {
    const failure = failureOf(
      await open({}, { GIT_SSL_CAINFO: '/etc/ssl/certs/ca-certificates.crt' }).fetchHead(bounds()),
    );
    expect(failure).toMatchObject({ kind: 'unreachable' });
    expect(failure.cause).toMatch(/^the certificate of the server is not trusted: /);
    expect(failure.remedy).toContain('GIT_SSL_CAINFO');
  });

  test('without that repository says so', async () => {
    const failure = failureOf(await open({ remote: https.url('none.git') }).fetchHead(bounds()));
    expect(failure.cause).toContain(`no repository at ${https.url('none.git')}`);
    expect(failure.remedy).toContain('a token that has expired');
  });

  test('is reached through a proxy that wants a password, which no failure shows', async () => {
    const proxy = await startForwardProxy('joe:pr0xy-pass');
    onTestFinished(() => proxy.stop());
    const at = (login: string) => ({ https_proxy: `http://${login}127.0.0.1:${proxy.port}` });
    expect(valueOf(await open({}, at('joe:pr0xy-pass@')).fetchHead(bounds()))).toBe(head);
    expect(proxy.asked).toContain(`CONNECT 127.0.0.1:${https.port}`);
    const around = { ...at('joe:wr0ng-pass@'), no_proxy: '127.0.0.1' };
    expect(valueOf(await open({}, around).fetchHead(bounds()))).toBe(head);
    for (const login of ['joe:wr0ng-pass@', 'joe:wr0ng/pass@', 'joe@', '']) {
      const failure = failureOf(await open({}, at(login)).fetchHead(bounds()));
      expect(failure.kind).toBe('unreachable');
      expect(failure.cause).toMatch(/^the proxy /);
      expect(failure.remedy).toContain('https_proxy');
      expect(JSON.stringify(failure)).not.toContain('wr0ng');
    }
  });
});
