import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { startForwardProxy } from '../rig/forward-proxy.ts';
import { type Front, startFront } from '../rig/front.ts';
import { type HttpsServer, startHttpsServer } from '../rig/https-server.ts';
import { setSettings } from '../rig/interval.ts';
import { describeWith } from '../rig/needs.ts';
import { endAll } from '../rig/processes.ts';
import { expectAtRest, expectChain } from '../rig/sound.ts';
import { argumentsOfAll, type Spy, startSpy } from '../rig/spy.ts';

const patience = 120_000;

/** None of these, as it is or as it is sent, may be seen anywhere. */
const secrets = ['T0ken-first', 'T0ken-second', 'p4ss-word', 'pr0xy-pass'];
const sent = [...['T0ken-first', 'T0ken-second'].map((token) => `autark:${token}`), 'deploy:p4ss-word'];
const forbidden = [...secrets, ...sent.map((login) => Buffer.from(login).toString('base64'))];

describeWith(['nginx'], 'a fleet over https', () => {
  let fleet: Fleet & { host: FleetHost };
  let host: FleetHost;
  let https: HttpsServer;
  let front: Front;
  let spy: Spy;
  let tokenFile: string;
  let env: Readonly<Record<string, string>>;
  let daemon: Daemon | undefined;
  const said: string[] = [];

  beforeAll(async () => {
    fleet = await makeDeployed('autark-https');
    host = fleet.host;
    https = await startHttpsServer(fleet.world.dir, fleet.world.dir);
    front = await startFront(https.port);
    spy = await startSpy(fleet.world);
    env = { ...spy.env, GIT_SSL_CAINFO: https.authority };
    tokenFile = join(fleet.world.dir, 'token');
    writeFileSync(tokenFile, 'T0ken-first\n', { mode: 0o600 });
    https.allow({ autark: 'T0ken-first' });
    setSettings(host, { remote: https.url('fleet.git'), tokenFile, interval: '100ms' });
    await fleet.server.commit({
      files: { 'fleet.yaml': fleet.fleetYaml('web1', ['timeouts: { fetch: 3s }']) },
    });
  });
  afterEach(async () => {
    await daemon?.kill();
    said.push(JSON.stringify(daemon?.events ?? []));
    daemon = undefined;
  });
  afterAll(async () => {
    await front.stop();
    await https.stop();
    endAll(fleet.world.dir);
    await fleet.world.remove();
  });

  const once = async (more: Readonly<Record<string, string>> = {}) => {
    const ran = await host.agent({ env: { ...env, ...more } });
    said.push(ran.stderr);
    return ran;
  };

  test(
    'a host deploys and pushes with its token; an expired one is named, a new one is enough',
    { timeout: patience },
    async () => {
      const first = await once();
      expect(first.code, first.stderr).toBe(0);
      daemon = startDaemon(fleet.world, host, { env });
      await daemon.next({ event: 'idle' });
      https.allow({ autark: 'T0ken-second' });
      const { message } = await daemon.next({ event: 'failure', code: 50, stage: 'poll' });
      expect(message).toContain(`put a new token into ${tokenFile}`);
      const revision = await fleet.server.commit({ files: execHost('web1', 'with the new token') });
      writeFileSync(tokenFile, 'T0ken-second\n');
      await daemon.next({ event: 'recorded', record: 'deployed', revision });
      await daemon.next({ event: 'delivered' });
      expectChain(await host.records(), 'over https');
    },
  );

  test(
    'a token that others can read stops the agent from asking; closed again, it goes on',
    { timeout: patience },
    async () => {
      writeFileSync(tokenFile, 'T0ken-second\n');
      const before = host.running();
      setSettings(host, { tokenFile: `${tokenFile}.none` });
      const ran = await once();
      expect(ran.code).toBe(2);
      expect(ran.stderr).toContain(`${tokenFile}.none`);
      expect(host.running()).toEqual(before);
      setSettings(host, { tokenFile });
      expect((await once()).code).toBe(0);
    },
  );

  test(
    'no secret is seen: not in arguments, logs, records or what clones say',
    { timeout: patience },
    async () => {
      https.allow({ deploy: 'p4ss-word' });
      const withLogin = (port: number): string => `https://deploy:p4ss-word@127.0.0.1:${port}/fleet.git`;
      setSettings(host, { remote: withLogin(front.port), tokenFile: null });
      front.be({ kind: 'silent' });
      daemon = startDaemon(fleet.world, host, { env });
      // While it hangs, everything that takes part runs.
      while (front.connections() === 0) await new Promise((resolve) => setImmediate(resolve));
      const whileHanging = argumentsOfAll();
      expect(whileHanging).toContain(`remote-https autark https://127.0.0.1:${front.port}/fleet.git`);
      await daemon.next({ event: 'failure', code: 50 });
      front.be({ kind: 'honest' });
      https.allow({});
      await daemon.next({ event: 'failure', code: 50 });
      https.allow({ deploy: 'p4ss-word' });
      const revision = await fleet.server.commit({ files: execHost('web1', 'nobody saw') });
      await daemon.next({ event: 'recorded', record: 'deployed', revision });
      await daemon.next({ event: 'delivered' });

      const { world } = fleet;
      const clone = await world.autark(['status', '--json']);
      const history = await fleet.server.git(['log', '--all', '-p', '--format=raw']);
      const again = await world.autark([
        ...['enroll', '--root', host.root, '--host', 'web1', '--remote', world.remote],
      ]);
      expect(again.stderr).toContain(
        `enrolled already, with --remote https://127.0.0.1:${front.port}/fleet.git`,
      );
      const everywhere = {
        whileHanging,
        calls: spy.seen(),
        logs: [...said, JSON.stringify(daemon.events)].join('\n'),
        journal: host.journal(),
        records: history,
        status: clone.stdout + clone.stderr,
        log: await world.git(['log', '--all']),
        enroll: again.stdout + again.stderr,
      };
      expect(everywhere.calls).toContain('push');
      for (const [where, text] of Object.entries(everywhere)) {
        expect(text, where).not.toBe('');
        for (const word of forbidden) expect(text.includes(word), `${word} in ${where}`).toBe(false);
      }
      // What must hold them is their owner's alone.
      const config = readFileSync(host.path('var/lib/autark/git/fleet.git/config'), 'utf8');
      for (const word of forbidden) expect(config).not.toContain(word);
    },
  );

  test(
    'a host behind a proxy deploys through it; a proxy that refuses is named, and nothing tells its password',
    { timeout: patience },
    async () => {
      https.allow({ autark: 'T0ken-second' });
      setSettings(host, { remote: https.url('fleet.git'), tokenFile });
      const proxy = await startForwardProxy('joe:pr0xy-pass');
      try {
        const revision = await fleet.server.commit({ files: execHost('web1', 'through the proxy') });
        const through = { https_proxy: `http://joe:pr0xy-pass@127.0.0.1:${proxy.port}` };
        const ran = await once(through);
        expect(ran.code, ran.stderr).toBe(0);
        expect((await newest(host)).status.system?.revision).toBe(revision);
        expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT 127.0.0.1:${https.port}`]));
        const refused = await once({ https_proxy: `http://joe:pr0xy-pass-not@127.0.0.1:${proxy.port}` });
        expect(refused.code).toBe(50);
        expect(refused.stderr).toMatch(/the proxy .*https_proxy/);
        expect(`${said.join('\n')}${spy.seen()}`).not.toContain('pr0xy-pass');
      } finally {
        await proxy.stop();
      }
      expect((await once()).code).toBe(0);
      expectAtRest(host, 'behind a proxy');
    },
  );
});
