import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { chooseSeed, seeded } from '../agent/adapters/scratch.ts';
import { type Daemon, type Logged, startDaemon, type Wanted } from '../rig/daemon.ts';
import { execHost } from '../rig/exec-system.ts';
import { makeDeployed } from '../rig/fleet.ts';
import { setInterval } from '../rig/interval.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { overlaps, watchfulBuild } from '../rig/watchful.ts';
import { currentGeneration, expectAtRest, expectChain } from '../rig/sound.ts';

const fleet = await makeDeployed('autark-kill');
const { host, server, world } = fleet;
setInterval(host, '1h');
afterAll(async () => {
  endAll(world.dir);
  await world.remove();
});

/** A build that takes its time and writes into its directory all the while. */
const slow = 'for beat in $(seq 25); do echo "$beat" >>"$out/heartbeat"; sleep 0.03; done\n';
const build = watchfulBuild(slow);

const rounds = 15;

test('a daemon that is killed again and again loses nothing and leaves nothing', async () => {
  const seed = chooseSeed();
  console.info(`AUTARK_SEED=${seed}`);
  const random = seeded(seed);
  const revisions: string[] = [];
  const told: Logged[] = [];
  const may = ['hello'];

  /** Something that the daemon will say of this revision, or nothing but a moment. */
  const moment = async (daemon: Daemon, revision: string): Promise<string> => {
    const wanted: Wanted[] = [
      { event: 'new-head', revision },
      { event: 'stage', stage: 'build', revision },
      { event: 'stage', stage: 'switch', revision },
      { event: 'recorded', revision },
    ];
    const event = wanted[Math.floor(random() * 7)];
    if (event !== undefined) await daemon.next(event);
    const ms = random() * (event === undefined ? 900 : 60);
    await delay(ms);
    return `${JSON.stringify(event ?? 'no event')} and ${Math.round(ms)} ms`;
  };

  for (let round = 1; round <= rounds; round += 1) {
    const daemon = startDaemon(world, host);
    const motd = `round ${round}`;
    may.push(motd);
    const revision = await server.commit({
      files: { ...execHost('web1', motd), 'hosts/web1/build': build },
      subject: `Round ${round}`,
    });
    revisions.push(revision);
    const when = await moment(daemon, revision);
    await daemon.kill();
    told.push(...daemon.events.filter(({ event }) => event === 'recorded'));
    const because = `seed ${seed}, round ${round}, killed after ${when}`;
    expect(may, because).toContain(host.motd());
    expect(may, because).toContain(currentGeneration(host).motd);
  }

  const last = startDaemon(world, host);
  const final = await server.commit({ files: { 'hosts/web1/motd': 'final\n' }, subject: 'Final' });
  await last.next({ event: 'recorded', record: 'deployed', revision: final });
  await last.next({ event: 'delivered' });
  await last.after(
    () => {
      last.signal('SIGHUP');
    },
    { event: 'idle' },
  );
  last.signal('SIGTERM');
  expect(await last.ended).toEqual({ code: 0, signal: null });
  told.push(...last.events.filter(({ event }) => event === 'recorded'));

  const because = `seed ${seed}`;
  expect(host.motd(), because).toBe('final');
  expectAtRest(host, because);
  await allGone(host.root);
  expect(overlaps(host), because).toEqual([]);
  const records = await host.records();
  expectChain(records, because);
  // Whatever was said to be recorded is there, at its place.
  for (const { seq, revision, record } of told) {
    const { outcome, system } = records[seq ?? -1]?.status ?? {};
    expect([outcome?.event, outcome?.attempted ?? system?.revision], because).toEqual([record, revision]);
  }
  // In the order in which they were pushed, each at most once; only what a newer one took the place of is missing.
  const deployed = records
    .filter(({ status }) => status.outcome.event === 'deployed')
    .map(({ status }) => status.system?.revision)
    .slice(1);
  expect(deployed, because).toEqual([...revisions, final].filter((revision) => deployed.includes(revision)));
});
