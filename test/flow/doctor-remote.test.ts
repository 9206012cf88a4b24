import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Diagnosis, diagnose } from '../rig/diagnosis.ts';
import { type Fleet, type FleetHost, makeDeployed } from '../rig/fleet.ts';
import { type Front, startFront } from '../rig/front.ts';
import { setSettings } from '../rig/interval.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { listenOn } from '../rig/served.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';

let fleet: Fleet & { readonly host: FleetHost };
let host: FleetHost;
beforeAll(async () => {
  fleet = await makeDeployed('autark-doctor');
  host = fleet.host;
});
afterAll(() => fleet.world.remove());

/** Looks at the host alone, from a folder that is no clone. */
const doctor = (): Promise<Diagnosis> => diagnose(fleet.world, { cwd: fleet.world.dir, root: host.root });

describe('an http server', () => {
  test.each([
    [
      'off by three hours',
      { date: -3 * 3_600_000, status: 404 },
      'clock',
      '3 hours ahead of that of 127.0.0.1',
    ],
    ['right', { date: 0, status: 404 }, 'remote', 'no repository'],
    ['pointing elsewhere', { date: 0, status: 301 }, 'remote', 'http://127.0.0.1/elsewhere.git'],
    ['asking who we are', { date: 0, status: 401 }, 'remote', '401'],
  ])('%s is told apart', async (_name, { date, status }, rule, words) => {
    const server = createServer((_request, response) => {
      const headers = {
        Date: new Date(Date.now() + date).toUTCString(),
        ...(status === 301 ? { Location: 'http://127.0.0.1/elsewhere.git/info/refs' } : {}),
        ...(status === 401 ? { 'WWW-Authenticate': 'Basic realm=x' } : {}),
      };
      response.writeHead(status, headers).end();
    });
    const port = await listenOn(server);
    const file = host.path('etc/autark/agent.yaml');
    const text = readFileSync(file, 'utf8');
    try {
      setSettings(host, { remote: `http://127.0.0.1:${port}/fleet.git` });
      const said = await doctor();
      expect(said.of(rule)?.cause).toContain(words);
      expect(said.is('clock')).toBe(date === 0 ? 'well' : 'not-well');
    } finally {
      writeFileSync(file, text);
      server.close();
    }
  });
});

describeWith(['sshd', 'ssh-keygen'], 'a server over ssh', () => {
  let ssh: SshServer;
  let front: Front;
  let text: string;
  const file = (): string => host.path('etc/autark/agent.yaml');
  const known = (): string => host.path('etc/autark/known_hosts');
  const gitKey = (): string => join(fleet.world.dir, 'git_key');

  beforeAll(async () => {
    ssh = await startSshServer(fleet.world.dir);
    front = await startFront(ssh.port);
    text = readFileSync(file(), 'utf8');
    const make = ['-q', '-t', 'ed25519', '-N', '', '-f', gitKey()];
    await must('ssh-keygen', make, { env: fleet.world.env });
    setSettings(host, { remote: ssh.url(fleet.world.remote), gitKey: gitKey() });
  });
  afterAll(async () => {
    writeFileSync(file(), text);
    await front.stop();
    await ssh.stop();
  });

  test('that is not known, that does not know this host, that is gone: each has its own next step', async () => {
    const unknown = (await doctor()).of('remote');
    expect(unknown).toMatchObject({
      code: 50,
      cause: expect.stringContaining('host key is not known') as string,
    });
    expect(unknown?.remedy).toContain(`ssh-keyscan -p ${ssh.port} 127.0.0.1 >> ${known()}`);

    writeFileSync(known(), ssh.knownHost());
    const refused = (await doctor()).of('remote');
    expect(refused).toMatchObject({ code: 50, cause: expect.stringContaining('refuses the key') as string });
    expect(refused?.remedy).toContain(`register ${gitKey()}.pub`);

    ssh.allow(readFileSync(`${gitKey()}.pub`, 'utf8'), 'web1');
    expect((await doctor()).is('remote')).toBe('well');

    await ssh.changeHostKey();
    expect((await doctor()).of('remote')?.cause).toContain('is not the one known');
    await ssh.stop();
    expect((await doctor()).of('remote')?.cause).toContain('nothing takes connections at 127.0.0.1');
  });

  test('that says nothing is given up, and the rest is told', async () => {
    front.be({ kind: 'silent' });
    setSettings(host, { remote: `ssh://git@127.0.0.1:${front.port}/x` });
    const said = await doctor();
    expect(said.of('remote')).toMatchObject({
      code: 50,
      cause: expect.stringContaining('longer than 20 s') as string,
    });
    expect(said.is('journal')).toBe('well');
  });
});
