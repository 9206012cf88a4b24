import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { describeWith } from '../rig/needs.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';
import { patience } from '../rig/patience.ts';
import { allGone, endAll } from '../rig/processes.ts';
import { failedByWorld } from '../rig/refused-nixos.ts';
import { accepts } from '../rig/served.ts';

describeWith(['nix', 'root'], 'a Nix store', () => {
  let fleet: NixosFleet;
  let folder: string;
  let good: string;
  beforeAll(async () => {
    fleet = await makeNixosFleet('autark-store');
    folder = join(fleet.host.store.dir, 'store');
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m,nr_inodes=3000', 'autark-test', folder]);
    good = await fleet.server.commit({ files: nixosFiles({ web1: { motd: 'good' } }) });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(0);
  });
  afterAll(async () => {
    endAll(fleet.world.dir);
    execFileSync('umount', [folder]);
    await fleet.world.remove();
  });

  const push = (motd: string, build = ''): Promise<string> =>
    fleet.server.commit({ tree: good, files: nixosFiles({ web1: { motd, build } }) });
  const recovers = async (motd: string, env: Readonly<Record<string, string>> = {}): Promise<void> => {
    const { code, stderr } = await fleet.host.agent({ env });
    expect(code, stderr).toBe(0);
    expect(fleet.host.motd()).toBe(motd);
    expect(fleet.host.state('systems')).toHaveLength(fleet.host.state('generations').length);
  };
  const fill = (left: number): void => {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(join(folder, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - left)));
  };

  test.each([
    ['to the last byte', 0],
    ['but for some pages', 40_960],
    ['but for half of what the build needs', 6_000_000],
  ])('that is full %s is the fault of the world (52)', async (name, left) => {
    await push(name, 'mkdir -p $out; head -c 12000000 /dev/zero >$out/large');
    fill(left);
    const { stderr } = await failedByWorld(fleet, {}, 52).finally(() => {
      rmSync(join(folder, 'filler'));
    });
    expect(stderr).toMatch(/full.*\(\S.*\); \S+/);
    await recovers(name);
    await fleet.host.store.nix('nix-collect-garbage');
  });

  test('that is read-only is named (1), and used again when it is not', async () => {
    await push('written again');
    execFileSync('mount', ['-o', 'remount,ro', folder]);
    const { stderr } = await failedByWorld(fleet, {}, 1).finally(() => {
      execFileSync('mount', ['-o', 'remount,rw', folder]);
    });
    expect(stderr).toMatch(
      /nothing can be added to the Nix store: .*\(the Nix store\); check that it is writable/,
    );
    await recovers('written again');
  });

  test('whose daemon is down is named (1), and used by way of it when it is up', async () => {
    const { host, world } = fleet;
    await push('through the daemon');
    const env = { NIX_REMOTE: 'daemon' };
    const { stderr } = await failedByWorld(fleet, env, 1);
    expect(stderr).toMatch(/Nix store.*nix-daemon/);
    const daemon = spawn('nix-daemon', [], {
      env: { ...host.store.env, HOME: world.dir },
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => daemon.on('close', resolve));
    try {
      await vi.waitFor(() => accepts({ path: join(host.store.dir, 'var/daemon-socket/socket') }), patience);
      await recovers('through the daemon', env);
    } finally {
      daemon.kill('SIGKILL');
      await ended;
    }
    await allGone(world.dir);
  });

  test('has not built what merely exists in it', async () => {
    const { host, server } = fleet;
    const first = await push('half');
    await recovers('half');
    const half = host.profile() ?? '';
    await push('whole');
    await recovers('whole');
    for (const name of host.state('systems')) rmSync(host.path('var/lib/autark/systems', name));
    await host.store.nix(
      'nix-env',
      '-p',
      host.path('nix/var/nix/profiles/system'),
      '--delete-generations',
      'old',
    );
    await host.store.nix('nix-collect-garbage');
    expect(existsSync(half)).toBe(false);
    // As a builder leaves it that was killed: there, with some of its files, and unknown to Nix.
    mkdirSync(join(half, 'bin'), { recursive: true });
    writeFileSync(join(half, 'bin/switch-to-configuration'), '#!/bin/sh\n', { mode: 0o755 });
    await server.commit({ tree: first });
    const { code, stderr } = await host.agent();
    expect(code, stderr).toBe(0);
    expect(host.motd()).toBe('half');
    expect(await host.store.nix('nix-store', '--verify-path', host.profile() ?? '')).toBe('');
  });
});
