import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { formatPrivateKey, formatPublicKey, parsePrivateKey } from '../../shared/trust/ssh-key.ts';
import { commonFiles, unitFile } from '../rig/debian-example.ts';
import { lineFor } from '../rig/git-server-example.ts';
import { journalsOnFailure } from '../rig/journals.ts';
import { gitKey, type Lab, type LabHost, labNeeds, makeLab, patience } from '../rig/lab.ts';
import { describeWith } from '../rig/needs.ts';

/** A key of the tunnel: the file that is the secret, and what its far end lets in. */
interface TunnelKey {
  readonly file: string;
  readonly publicKey: string;
  readonly digest: string;
}

function newKey(): TunnelKey {
  const file = formatPrivateKey(randomBytes(32), 'tunnel', randomBytes(4).readUInt32BE(0));
  const parsed = parsePrivateKey(file);
  if (!parsed.ok) throw new Error('a key just made cannot be read');
  const digest = createHash('sha256').update(file).digest('hex');
  return { file, digest, publicKey: formatPublicKey(parsed.value.publicBlob) };
}

/** The agent's end of it. */
const near = 2222;
const secret = '/run/autark/secrets/tunnel-key';

/** Tries for ever, as a VPN does: systemd never calls it failed. */
function tunnel(address: string, port: number): string {
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', 'ExitOnForwardFailure=yes'];
  const known = ['-F', '/dev/null', '-o', 'UserKnownHostsFile=/etc/autark/known_hosts'];
  const ssh = [
    ...['/usr/bin/ssh', '-N', '-i', secret, ...known, ...options.flatMap((each) => ['-o', each])],
    ...['-L', `127.0.0.1:${near}:${address}:${port}`, '-p', String(port), `root@${address}`],
  ];
  return `[Unit]
Requires=autark-secret@tunnel-key.service
After=autark-secret@tunnel-key.service
StartLimitIntervalSec=0
${unitFile(
  `ExecStartPre=/bin/sh -c "sha256sum <${secret} | cut -c 1-64 >>/srv/uses"`,
  `ExecStart=${ssh.join(' ')}`,
  'Restart=always',
  'RestartSec=300ms',
)}`;
}

describeWith(
  [...labNeeds, 'ext4', 'age'],
  'a host that reaches its Git server through a tunnel alone',
  () => {
    let lab: Lab;
    let host: LabHost;
    let good = newKey();
    let ownLine: string;
    beforeAll(async () => {
      lab = await makeLab('autark-tunnel');
      const { server, world } = lab.fleet;
      const url = new URL(lab.url);
      const [address, port] = [url.hostname, Number(url.port)];
      await server.commit({ files: commonFiles(), subject: 'Begin' });
      host = await lab.join('web1', ['--system', 'exec', '--build', 'common/build'], {
        disk: { megabytes: 512 },
      });
      ownLine = lineFor('web1', await host.must(['cat', `${gitKey}.pub`]));
      allow(good);
      const yaml = (await server.git(['show', 'main:fleet.yaml'])).replace(
        /^ {2}web1:\n/m,
        '$&    timeouts: { fetch: 4s }\n',
      );
      const files = { 'fleet.yaml': `${yaml}\n` };
      await server.commit({ files, subject: 'A server that is not there is soon given up' });
      await world.git(['pull', '--quiet']);
      await host.settles(await set(good, ['--restart', 'tunnel.service']));
      const unit = { 'common/units/tunnel.service': tunnel(address, port) };
      await host.settles(await server.commit({ files: unit, subject: 'A tunnel' }));
      const [known = ''] = lab.ssh.knownHost().trim().split('\n');
      await host.must([
        ...[
          'sh',
          '-euc',
          'echo "$1" >>/etc/autark/known_hosts; sed -i "s#^remote:.*#remote: $2#" "$3"',
          'sh',
        ],
        known.replace(/^\S+/, `[127.0.0.1]:${near}`),
        lab.url.replace(url.host, `127.0.0.1:${near}`),
        '/etc/autark/agent.yaml',
      ]);
      await host.settles(await server.commit({ files: motd('through it'), subject: 'Through it' }));
    });
    afterAll(() => lab.remove());
    journalsOnFailure(() => [host]);

    const motd = (text: string) => ({ 'common/etc/motd': `${text}\n` });
    /** The far end lets these in, and nobody else but the admin and the host's git. */
    const allow = (...keys: readonly TunnelKey[]): void => {
      lab.ssh.forgetKeys();
      const admin = lineFor('alice', formatPublicKey(lab.fleet.admin.publicBlob));
      const tunnels = keys.map(({ publicKey }) => `restrict,port-forwarding,command="false" ${publicKey}`);
      for (const line of [admin, ownLine, ...tunnels]) lab.ssh.authorize(line);
    };
    const set = async ({ file }: TunnelKey, more: readonly string[] = []): Promise<string> => {
      const { world, server } = lab.fleet;
      await world.git(['pull', '--quiet']);
      const call = ['secret', 'set', 'tunnel-key', '--host', 'web1', ...more, '--push'];
      const done = await world.autark(call, { input: file });
      expect(done.code, done.stderr).toBe(0);
      return server.head();
    };
    const uses = async (): Promise<readonly string[]> =>
      (await host.must(['cat', '/srv/uses'])).split('\n').filter(Boolean);
    const placed = async (): Promise<string> => (await host.must(['sha256sum', secret])).slice(0, 64);
    /** What is pushed now still arrives. */
    const isReached = async (text: string): Promise<void> => {
      const revision = await lab.fleet.server.commit({ files: motd(text), subject: text });
      expect(await host.settles(revision)).toBe('deployed');
    };

    test('a new key restarts the tunnel once, and the record of that comes through the new one', async () => {
      const [before, next] = [(await uses()).length, newKey()];
      allow(good, next);
      expect(await host.settles(await set(next))).toBe('deployed');
      expect((await uses()).slice(before)).toEqual([next.digest]);
      good = next;
      allow(good);
      await isReached('with the second key');
    });

    test('one that the far end does not take any more is replaced while the tunnel still stands', async () => {
      const next = newKey();
      allow(next);
      expect(await host.settles(await set(next))).toBe('deployed');
      expect(await placed()).toBe(next.digest);
      good = next;
      await isReached('with the third key');
    });

    test('a key that the far end does not take cuts the host off for a moment: it goes back, and says why', async () => {
      const bad = newKey();
      const { event, message } = await host.decides(await set(bad));
      expect(event).toBe('rolled-back');
      expect(message).toMatch(/the Git server is out of reach/);
      expect(await uses()).toContain(bad.digest);
      expect([(await uses()).at(-1), await placed()]).toEqual([good.digest, good.digest]);
      await set(good);
      await isReached('after a bad key');
    });

    test('so it does when the power is cut while nobody can reach it', async () => {
      const bad = newKey();
      const revision = await set(bad);
      await vi.waitUntil(async () => (await uses()).includes(bad.digest), patience);
      await host.powerCut();
      await host.boot();
      expect((await host.decides(revision)).event).toBe('rolled-back');
      expect(await placed()).toBe(good.digest);
      await set(good);
      await isReached('after a power cut');
    });
  },
);
