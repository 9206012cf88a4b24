import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { currentGeneration, expectAtRest, expectChain } from '../rig/sound.ts';

describeWith(['root'], 'a disk that is full for an activation', () => {
  let fleet: Fleet;
  let host: FleetHost;
  let state: string;
  beforeAll(async () => {
    fleet = await makeFleet('autark-full');
    state = `${fleet.world.root('web1')}/var/lib/autark`;
    mkdirSync(state, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,nr_inodes=3000,mode=0700', 'autark-test', state]);
    host = await fleet.join('web1');
    await fleet.server.commit({ files: execHost('web1', 'hello') });
    expect((await host.agent()).code).toBe(0);
  });
  afterEach(() => {
    makeRoom();
  });
  afterAll(async () => {
    execFileSync('umount', [state]);
    await fleet.world.remove();
  });

  const fill = (left: number): void => {
    const { bavail, bsize } = statfsSync(state);
    writeFileSync(`${state}/filler`, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  };
  const makeRoom = (): void => {
    for (const name of ['filler', 'data']) rmSync(`${state}/${name}`, { force: true });
  };
  /** Shows its motd, then writes 3 MB below the state folder; what it could write of them stays or not. */
  const greedy = (cleanUp: string) => ({
    executable: buildScript.replace(
      '\nEND\n',
      `\nhead -c 3000000 /dev/zero >"$AUTARK_ROOT/var/lib/autark/data" || { ${cleanUp}exit 1; }\nEND\n`,
    ),
  });

  const tidily = 'rm -f "$AUTARK_ROOT/var/lib/autark/data"; ';
  /** A calm system runs, and this one is to come; what ran. */
  const prepare = async (motd: string, cleanUp: string) => {
    await fleet.server.commit({ files: execHost('web1', `before ${motd}`) });
    expect((await host.agent()).code).toBe(0);
    const before = { ...host.running(), generation: currentGeneration(host) };
    await fleet.server.commit({ files: { ...execHost('web1', motd), 'hosts/web1/build': greedy(cleanUp) } });
    return before;
  };
  const expectDeployed = async (motd: string): Promise<void> => {
    const { code, stderr } = await host.agent();
    expect(code, stderr).toBe(0);
    expect(host.motd()).toBe(motd);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'deployed', code: 0 });
    expectChain(await host.records(), motd);
    expectAtRest(host, motd);
  };

  test('52, back on the old generation, and tried again by itself', async () => {
    const before = await prepare('greedy', tidily);
    fill(900_000);
    const { code, stderr } = await host.agent().finally(makeRoom);
    expect(stderr).toMatch(/could not be activated: the file system is full \(.+\); \S+/);
    expect(code).toBe(52);
    expect(host.running()).toEqual({
      motd: before.motd,
      activations: [...before.activations, 'switch greedy', `switch ${before.motd ?? ''}`],
    });
    expect(currentGeneration(host)).toEqual(before.generation);
    await expectDeployed('greedy');
  });

  test('by the activation itself, to the last byte: 52 as long as it is, then the new system', async () => {
    await prepare('glutton', '');
    fill(2_000_000);
    for (let look = 0; look < 3; look += 1) {
      const { code, stderr } = await host.agent();
      expect(code, stderr).toBe(52);
      expect(stderr).toMatch(/(full|no space is left).*\(\S+\); \S+/);
    }
    makeRoom();
    await expectDeployed('glutton');
  });
});
