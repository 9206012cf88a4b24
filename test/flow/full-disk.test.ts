import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildScript, execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet, newest } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';

describeWith(['root'], 'a full disk', () => {
  let fleet: Fleet;
  let host: FleetHost;
  let state: string;
  beforeAll(async () => {
    fleet = await makeFleet();
    state = `${fleet.world.root('web1')}/var/lib/autark`;
    mkdirSync(state, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,nr_inodes=3000,mode=0700', 'autark-test', state]);
    host = await fleet.join('web1');
    await fleet.server.commit({ files: execHost('web1', 'hello') });
    expect((await host.agent()).code).toBe(0);
  });
  afterAll(async () => {
    execFileSync('umount', [state]);
    await fleet.world.remove();
  });

  /** Leaves this many bytes. */
  const fill = (left: number): void => {
    const { bavail, bsize } = statfsSync(state);
    writeFileSync(`${state}/filler`, Buffer.alloc(Math.max(0, bavail * bsize - left)));
  };
  const fillInodes = (left: number): void => {
    mkdirSync(`${state}/filler`);
    const free = statfsSync(state).ffree - left;
    for (let each = 0; each < free; each += 1) writeFileSync(`${state}/filler/${each}`, '');
  };
  const makeRoom = (): void => {
    rmSync(`${state}/filler`, { recursive: true, force: true });
  };
  /** Needs 3 MB while it builds. */
  const large = { executable: buildScript.replace('\n', '\nhead -c 3000000 /dev/zero >"$out/large"\n') };

  test.each([
    [
      'to the last byte',
      () => {
        fill(0);
      },
    ],
    [
      'but for a page',
      () => {
        fill(4096);
      },
    ],
    [
      'but for some pages',
      () => {
        fill(40_960);
      },
    ],
    [
      'but for half of what the build needs',
      () => {
        fill(1_500_000);
      },
    ],
    [
      'of inodes',
      () => {
        fillInodes(0);
      },
    ],
    [
      'but for a few inodes',
      () => {
        fillInodes(12);
      },
    ],
  ])('%s: 52 says so, the old system runs, and with room again the new one', async (name, spend) => {
    const [before, seq] = [host.running(), (await newest(host)).status.seq];
    await fleet.server.commit({ files: { 'hosts/web1/build': large, 'hosts/web1/motd': `${name}\n` } });
    spend();
    const { code, stderr } = await host.agent().finally(makeRoom);
    expect(stderr).toMatch(/(full|no space is left).*\(\S+\); \S+/);
    expect(code).toBe(52);
    expect(host.running()).toEqual(before);
    expect(JSON.parse(host.journal())).toMatchObject({ format: 1, host: 'web1' });
    // The revision is not held to be bad for it: nothing was recorded.
    expect((await newest(host)).status.seq).toBe(seq);

    const after = await host.agent();
    expect(after.stderr).not.toMatch(/ failure /);
    expect(after.code).toBe(0);
    expect(host.running()).toEqual({ motd: name, activations: [...before.activations, `switch ${name}`] });
    expect((await newest(host)).status.seq).toBe(seq + 1);
    expect(host.state('.').filter((entry) => /tree|\.(new|tmp|fresh|old)/.test(entry))).toEqual([]);
    expect(host.state('systems')).toHaveLength(host.state('generations').length);
  });
});
