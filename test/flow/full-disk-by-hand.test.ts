import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { currentGeneration, expectAtRest } from '../rig/sound.ts';

describeWith(['root'], 'a disk that is full for a person', () => {
  let fleet: Fleet;
  let host: FleetHost;
  let state: string;
  beforeAll(async () => {
    fleet = await makeFleet('autark-full');
    state = `${fleet.world.root('web1')}/var/lib/autark`;
    mkdirSync(state, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,nr_inodes=3000,mode=0700', 'autark-test', state]);
    host = await fleet.join('web1');
    for (const motd of ['one', 'two']) {
      await fleet.server.commit({ files: execHost('web1', motd) });
      expect((await host.agent()).code).toBe(0);
    }
  });
  const makeRoom = (): void => {
    rmSync(`${state}/filler`, { force: true });
  };
  afterEach(makeRoom);
  afterAll(async () => {
    execFileSync('umount', [state]);
    await fleet.world.remove();
  });
  const fill = (): void => {
    const { bavail, bsize } = statfsSync(state);
    writeFileSync(`${state}/filler`, Buffer.alloc(bavail * bsize));
  };

  test('52: nothing is held and nothing gone back to; with room both are', async () => {
    const before = { ...host.running(), generation: currentGeneration(host) };
    fill();
    for (const call of [['hold', '--reason', 'x'], ['rollback']]) {
      const { code, stderr } = await host.autark(call);
      expect(stderr).toMatch(/no space is left.*\(\S+\); \S+/);
      expect(code).toBe(52);
      expect(existsSync(`${state}/hold.json`)).toBe(false);
    }
    expect({ ...host.running(), generation: currentGeneration(host) }).toEqual(before);
    makeRoom();
    expect((await host.autark(['rollback'])).code).toBe(0);
    expect(host.motd()).toBe('one');
    expect((await host.agent()).code).toBe(10);
    expect((await newest(host)).status.outcome).toMatchObject({ event: 'rolled-back', code: 10 });
    fill();
    // To end a hold needs no room.
    expect((await host.autark(['resume'])).code).toBe(0);
    makeRoom();
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('two');
    expectAtRest(host, 'with room');
  });
});
