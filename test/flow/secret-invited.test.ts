import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeFleet } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';
import { writeKey, writePublicKey } from '../rig/world.ts';

describeWith(['root'], 'a machine that was invited by its key', () => {
  test('has its secrets with its first cycle', async () => {
    const fleet = await makeFleet('/dev/shm/autark-invited');
    const { world } = fleet;
    try {
      const file = join(world.dir, 'born_key');
      await writePublicKey(`${file}.pub`, await writeKey(file, 'root@web4'));
      await world.git(['pull', '--quiet']);
      const system = ['--build', 'hosts/web4/build'];
      await world.mustAutark(['invite', 'web4', '--key', `${file}.pub`, ...system, '--push']);
      const place = ['--host', 'web4', '--path', '/etc/app/token', '--push'];
      const set = await world.autark(['secret', 'set', 'token', ...place], { input: 'sesame' });
      expect(set.code, set.stderr).toBe(0);
      await fleet.server.commit({ files: execHost('web4', 'born') });

      const host = fleet.at('web4');
      const key = host.path('var/lib/autark/key');
      mkdirSync(dirname(key), { recursive: true });
      copyFileSync(file, key);
      const there = ['--root', host.root, '--remote', world.remote, '--host', 'web4'];
      await world.mustAutark(['enroll', ...there, '--introduction', fleet.introduction]);
      expect(existsSync(host.path('etc/app/token'))).toBe(false);
      const ran = await host.agent();
      expect(ran.code, ran.stderr).toBe(0);
      expect(host.motd()).toBe('born');
      expect(readFileSync(host.path('etc/app/token'), 'utf8')).toBe('sesame');
      expect((await host.records()).map(({ status }) => status.outcome)).toMatchObject([
        { event: 'enrolled' },
        { event: 'deployed', code: 0 },
      ]);
    } finally {
      await world.remove();
    }
  });
});
