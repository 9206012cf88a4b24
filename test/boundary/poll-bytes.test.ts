import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { measured } from '../../shared/scale/load.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet } from '../rig/fleet.ts';
import { startGitDaemon } from '../rig/git-daemon.ts';
import { type HttpsServer, startHttpsServer } from '../rig/https-server.ts';
import { setSettings } from '../rig/interval.ts';
import { type Meter, type Reading, startMeter } from '../rig/meter.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { type SshServer, startSshServer } from '../rig/ssh-server.ts';

const patience = 240_000;

/** What one cycle of this host sends and receives. */
async function cycleOf(host: FleetHost, meter: Meter): Promise<Reading> {
  meter.read();
  const { code, stderr } = await host.agent();
  expect(code, stderr).toBe(0);
  return meter.read();
}

/** As many state branches as a fleet of that size has. */
async function addBranches({ server }: Fleet, count: number): Promise<void> {
  const head = await server.head();
  const lines = Array.from(
    { length: count },
    (_, at) => `create refs/heads/state/host${String(at).padStart(5, '0')} ${head}\n`,
  );
  await server.git(['update-ref', '--stdin'], lines.join(''));
  await server.git(['pack-refs', '--all']);
}

function expectNear(bytes: number, figure: number): void {
  // Tables of key exchange and the lengths of paths differ between machines; a second round trip would not pass.
  expect(bytes).toBeGreaterThan(figure * 0.75);
  expect(bytes).toBeLessThan(figure * 1.25);
}

describeWith(['sshd', 'ssh-keygen'], 'what a host costs its server over ssh', () => {
  let fleet: Fleet;
  let ssh: SshServer;
  let meter: Meter;
  let host: FleetHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-bytes');
    // As forges do; without it git falls back to version 0 (git-config(1), protocol.version).
    ssh = await startSshServer(fleet.world.dir, { more: ['AcceptEnv GIT_PROTOCOL'] });
    meter = await startMeter(ssh.port);
    host = await fleet.join('web1');
    await fleet.server.commit({ files: execHost('web1', 'hello') });
    expect((await host.agent()).code).toBe(0);
    const gitKey = `${fleet.world.dir}/git_key`;
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', gitKey], { env: fleet.world.env });
    ssh.allow(readFileSync(`${gitKey}.pub`, 'utf8'), 'web1');
    writeFileSync(
      host.path('etc/autark/known_hosts'),
      ssh.knownHost().replace(`]:${ssh.port} `, `]:${meter.port} `),
    );
    setSettings(host, {
      remote: ssh.url(fleet.world.remote).replace(`:${ssh.port}/`, `:${meter.port}/`),
      gitKey,
    });
    expect((await host.agent()).code).toBe(0);
  }, patience);
  afterAll(async () => {
    await meter.stop();
    await ssh.stop();
    await fleet.world.remove();
  });

  test(
    'a poll and a record cost what the model says',
    async () => {
      const poll = await cycleOf(host, meter);
      await fleet.server.commit({ files: execHost('web1', 'changed') });
      const record = await cycleOf(host, meter);
      expect(poll.connections).toBe(1);
      // The poll itself, one more that confirms, two looks at the own branch, and the push.
      expect(record.connections).toBe(5);
      expectNear(poll.bytes, measured.ssh.poll);
      expectNear(record.bytes - 2 * poll.bytes, measured.ssh.record);
    },
    patience,
  );

  test(
    'a poll does not grow with the fleet, and a record does',
    async () => {
      const before = await cycleOf(host, meter);
      await addBranches(fleet, 1000);
      const poll = await cycleOf(host, meter);
      await fleet.server.commit({ files: execHost('web1', 'among many') });
      const record = await cycleOf(host, meter);
      // Less than ten bytes a branch: not one of them is listed.
      expect(Math.abs(poll.bytes - before.bytes)).toBeLessThan(10_000);
      const { record: alone, branch } = measured.ssh;
      expectNear(record.bytes - 2 * poll.bytes, alone + 1000 * branch);

      // Without the version, the server lists them all.
      const plain = await startSshServer(join(fleet.world.dir, 'plain'));
      const plainMeter = await startMeter(plain.port);
      plain.allow(readFileSync(`${fleet.world.dir}/git_key.pub`, 'utf8'), 'web1');
      const known = plain.knownHost().replace(`]:${plain.port} `, `]:${plainMeter.port} `);
      writeFileSync(host.path('etc/autark/known_hosts'), known);
      setSettings(host, {
        remote: plain.url(fleet.world.remote).replace(`:${plain.port}/`, `:${plainMeter.port}/`),
      });
      await cycleOf(host, plainMeter);
      const listing = await cycleOf(host, plainMeter);
      expectNear(listing.bytes - poll.bytes, 1000 * (branch / 3));
      await plainMeter.stop();
      await plain.stop();
    },
    patience,
  );
});

describe('what a host costs its server over the git protocol', () => {
  test(
    'a poll and a record cost what the model says',
    async () => {
      const fleet = await makeFleet('autark-bytes');
      const daemon = await startGitDaemon(fleet.world.dir);
      const meter = await startMeter(daemon.port);
      try {
        const host = await fleet.join('web1');
        await fleet.server.commit({ files: execHost('web1', 'hello') });
        setSettings(host, { remote: daemon.url('fleet.git').replace(`:${daemon.port}/`, `:${meter.port}/`) });
        await cycleOf(host, meter);
        const poll = await cycleOf(host, meter);
        await fleet.server.commit({ files: execHost('web1', 'changed') });
        const record = await cycleOf(host, meter);
        expect([poll.connections, record.connections]).toEqual([1, 5]);
        expectNear(poll.bytes, measured.git.poll);
        expectNear(record.bytes - 2 * poll.bytes, measured.git.record);
      } finally {
        await meter.stop();
        await daemon.stop();
        await fleet.world.remove();
      }
    },
    patience,
  );
});

describeWith(['nginx'], 'what a host costs its server over https', () => {
  let fleet: Fleet;
  let https: HttpsServer;
  let meter: Meter;
  let host: FleetHost;
  beforeAll(async () => {
    fleet = await makeFleet('autark-bytes');
    https = await startHttpsServer(fleet.world.dir, fleet.world.dir);
    https.allow({ web1: 'secret' });
    meter = await startMeter(https.port);
    host = await fleet.join('web1');
    await fleet.server.git(['config', 'http.receivepack', 'true']);
    await fleet.server.commit({ files: execHost('web1', 'hello') });
    setSettings(host, { remote: `https://web1:secret@127.0.0.1:${meter.port}/fleet.git` });
  }, patience);
  afterAll(async () => {
    await meter.stop();
    await https.stop();
    await fleet.world.remove();
  });

  test(
    'a poll and a record cost what the model says',
    async () => {
      const trusting = { env: { GIT_SSL_CAINFO: https.authority } };
      const cycle = async (): Promise<Reading> => {
        meter.read();
        const { code, stderr } = await host.agent(trusting);
        expect(code, stderr).toBe(0);
        return meter.read();
      };
      await cycle();
      const poll = await cycle();
      const log = `${fleet.world.dir}/https/access.log`;
      // A line is written once the answer is sent, which the agent does not wait for.
      const written = async (): Promise<string> => {
        let [before, now] = ['', readFileSync(log, 'utf8')];
        while (before !== now) {
          await pause(300);
          [before, now] = [now, readFileSync(log, 'utf8')];
        }
        return now;
      };
      const asked = (await written()).length;
      await cycle();
      const requests = (await written()).slice(asked).trimEnd().split('\n');
      await fleet.server.commit({ files: execHost('web1', 'changed') });
      const record = await cycle();
      expect(requests).toHaveLength(2);
      expectNear(poll.bytes, measured.http.poll);
      expectNear(record.bytes - 2 * poll.bytes, measured.http.record);
    },
    patience,
  );
});
