import { dirname } from 'node:path';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Git } from '../../agent/git-ports.ts';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { type Front, type Manner, startFront } from '../rig/front.ts';
import { type GitDaemon, startGitDaemon } from '../rig/git-daemon.ts';
import { processesOf } from '../rig/processes.ts';
import { bounds, type GitRig, gitRig } from './git-rig.ts';

/** Milliseconds for a fetch from a server that never finishes. */
const limit = 2000;

let server: GitDaemon;
let front: Front;
let rig: GitRig;
let head: string;
let repository: string;

beforeAll(async () => {
  // Where gitRig makes its repositories.
  server = await startGitDaemon(tmpdir());
  front = await startFront(server.port);
});
afterAll(async () => {
  await front.stop();
  await server.stop();
});
beforeEach(() => {
  rig = gitRig();
  head = rig.commit('main', 'one');
  repository = rig.remote.slice(dirname(rig.folder).length + 1);
  front.be({ kind: 'honest' });
});

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
const says = (status: string, headers: readonly string[] = [], body = ''): Manner => ({
  kind: 'says',
  bytes: [
    `HTTP/1.1 ${status}`,
    ...headers,
    `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n'),
});

const noServer = /^what answers at \S+ does not speak as a Git server does$/;
const slow = /^git fetch took longer than 2 s$/;

/** Whatever the server is: the fetch ends in time, says what it was, leaves no process, and the next one may work. */
async function endsWith(git: Git, manner: Manner, cause: RegExp): Promise<string> {
  front.be(manner);
  const failure = failureOf(await git.fetchHead(cause === slow ? bounds(limit) : bounds()));
  expect(failure.kind).toBe('unreachable');
  expect(failure.cause).toMatch(cause);
  expect(processesOf(rig.directory).filter(({ command }) => !command.includes('cat-file'))).toEqual([]);
  return failure.remedy;
}

describe('a git server that', () => {
  test.each<[string, Manner, RegExp]>([
    ['says nothing', { kind: 'silent' }, slow],
    ['says one byte a second', { kind: 'drip', bytes: '0032want' }, slow],
    ['stops halfway', { kind: 'stalls', after: 200 }, slow],
    ['hangs up', { kind: 'closes' }, /ended the connection/],
    ['talks garbage', { kind: 'says', bytes: 'good morning, and welcome\r\n' }, noServer],
    ['never stops talking garbage', { kind: 'floods', bytes: `${'x'.repeat(1000)}\n` }, noServer],
  ])('%s is named, and fetched from as soon as it is honest', async (_what, manner, cause) => {
    const git = rig.open({ remote: `git://127.0.0.1:${front.port}/${repository}`, env });
    valueOf(await git.fetchHead(bounds()));
    const remedy = await endsWith(git, manner, cause);
    expect(remedy).toMatch(/agent\.yaml|fleet\.yaml/);
    front.be({ kind: 'honest' });
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
  });

  test('has no such repository, or none at all, is named', async () => {
    const missing = rig.open({ remote: server.url('none.git'), env });
    expect(failureOf(await missing.fetchHead(bounds())).cause).toContain(
      `no repository at ${server.url('none.git')}`,
    );
    const closed = rig.open({ remote: 'git://127.0.0.1:1/x', env });
    expect(failureOf(await closed.fetchHead(bounds())).cause).toBe(
      'nothing takes connections at 127.0.0.1, port 1',
    );
    const unknown = rig.open({ remote: 'git://nowhere.invalid/x', env });
    expect(failureOf(await unknown.fetchHead(bounds())).cause).toBe(
      'the name nowhere.invalid cannot be resolved',
    );
  });
});

describe('an http server that', () => {
  const open = (): Git =>
    rig.open({ remote: `http://robot:hunter-2@127.0.0.1:${front.port}/fleet.git`, env });

  test.each<[string, Manner, RegExp]>([
    ['says nothing', { kind: 'silent' }, slow],
    ['says one byte a second', { kind: 'drip', bytes: 'HTTP/1.1 200 OK\r\n' }, slow],
    ['hangs up', { kind: 'closes' }, /ended the connection/],
    ['talks garbage', { kind: 'says', bytes: 'good morning\r\n' }, noServer],
    ['never stops talking garbage', { kind: 'floods', bytes: `${'x'.repeat(1000)}\n` }, noServer],
    ['shows a login page', says('200 OK', ['Content-Type: text/html'], '<html>'), /has no branch main/],
    [
      'talks garbage in the right type',
      says('200 OK', ['Content-Type: application/x-git-upload-pack-advertisement'], 'zzzz'),
      noServer,
    ],
    ['refuses', says('403 No'), /^the server refuses access \(403\)$/],
    ['has trouble', says('503 No'), /^the server has trouble of its own \(503\)$/],
    ['wants less of us', says('429 No'), /^the server has trouble of its own \(429\)$/],
    ['has no repository', says('404 No'), /^the server has no repository at /],
    ['is no https server', says('400 No'), /400/],
  ])('%s is named, and no password is told', async (_what, manner, cause) => {
    const git = open();
    const remedy = await endsWith(git, manner, cause);
    expect(remedy).not.toBe('');
    expect(JSON.stringify(failureOf(await git.fetchHead(bounds(limit))))).not.toMatch(/hunter|cm9ib3Q/);
  });

  test.each([301, 302, 307, 308])('redirects (%i) is not followed, and where to is said', async (code) => {
    const elsewhere = await startFront(server.port);
    onTestFinished(() => elsewhere.stop());
    const target = `127.0.0.1:${elsewhere.port}/moved.git`;
    const location = `Location: http://eve:s3cret-1@${target}/info/refs?service=git-upload-pack&token=s3cret-2`;
    front.be(says(`${code} Moved`, [location]));
    const failure = failureOf(await open().fetchHead(bounds()));
    expect(failure).toMatchObject({
      kind: 'unreachable',
      cause: `the server points to another address: http://${target}`,
      remedy: "if that is the fleet's, put it into agent.yaml as remote; redirects are not followed",
    });
    expect(JSON.stringify(failure)).not.toMatch(/s3cret|eve|hunter/);
    expect(elsewhere.connections()).toBe(0);
  });

  test('redirects to what is no address is named all the same', async () => {
    for (const location of ['file:///etc/passwd', 'http://[', '\u001b[31m', 'ext::sh -c true']) {
      front.be(says('301 Moved', [`Location: ${location}`]));
      const { cause } = failureOf(await open().fetchHead(bounds()));
      expect(cause).toMatch(
        /^the server points to another address(?: \(301\)|: http:\/\/127\.0\.0\.1:\d+\/\S*)$/,
      );
    }
  });

  test('says what it was sent is not repeated', async () => {
    const login = Buffer.from('robot:hunter-2').toString('base64');
    const body = `your password hunter-2 (${login}) is wrong\n`;
    front.be(says('403 No', ['Content-Type: text/plain'], body));
    const failure = failureOf(await open().fetchHead(bounds()));
    expect(failure.detail).toContain('your password … (…) is wrong');
    expect(JSON.stringify(failure)).not.toMatch(/hunter|cm9ib3Q/);
  });
});
