import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../agent/adapters/clock.ts';
import { openerFor } from '../../agent/adapters/age/opener.ts';
import { ageSealer } from '../../agent/adapters/age/sealer.ts';
import { fileLocks } from '../../agent/adapters/lock.ts';
import { fileSecrets } from '../../agent/adapters/secrets/store.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { makeSecretFleet, sealWithAge, shownBy, type SecretFleet } from '../rig/secrets.ts';

/** What a boot does, below a root: nothing is there, and nobody can be asked. */
describeWith(['age'], 'autark secrets install', () => {
  let fleet: SecretFleet;
  beforeAll(async () => {
    fleet = await makeSecretFleet();
    const files = await fleet.files(['a: { hosts: [web1] }', 'b: { hosts: [web1] }'], { a: 'one' });
    const b = await sealWithAge('not for this host', [fleet.keys[1]]);
    await fleet.server.commit({ files: { ...files, 'secrets/b.age': b } });
    const { code, stderr } = await fleet.host.agent();
    expect(code, stderr).toBe(62);
    rmSync(fleet.world.remote, { recursive: true });
  });
  afterAll(() => fleet.world.remove());

  const boots = (): void => {
    rmSync(fleet.host.path('run/autark'), { recursive: true, force: true });
  };
  const install = (...args: readonly string[]) => fleet.host.autark(['secrets', 'install', ...args]);

  test('places what the current generation has, offline, and names what it cannot open (62)', async () => {
    boots();
    const { code, stdout, stderr } = await install();
    expect([code, stdout]).toEqual([62, '']);
    expect(stderr).toMatch(/^autark: secret b: /m);
    expect(shownBy(fleet.host)).toEqual({ a: 'one' });
  });

  test('early, leaves what is placed already as it is', async () => {
    boots();
    expect((await install('--early')).code).toBe(62);
    expect(shownBy(fleet.host)).toEqual({ a: 'one' });
    expect((await install('--early')).code).toBe(0);
  });

  test('early, leaves a machine alone whose secrets were just removed, as a trial without any does', async () => {
    boots();
    const { root } = fleet.host;
    const store = fileSecrets({
      ...{ root, state: fleet.host.path('var/lib/autark'), run: fleet.host.path('run/autark') },
      ...{ opener: openerFor([]), sealer: ageSealer(), env: {}, hasSystemd: false },
    });
    mkdirSync(fleet.host.path('run/autark'), { recursive: true });
    valueOf(await store.place(null));
    expect((await install('--early')).code).toBe(0);
    expect(shownBy(fleet.host)).toEqual({});
  });

  test('waits for whoever acts on this machine; early, when that would wait for it in turn, it does not', async () => {
    const locks = fileLocks(fleet.host.path('var/lib/autark'), 'a test', systemClock());
    const bounds = { timeout: 1000, signal: new AbortController().signal };
    const unlock = valueOf(await locks.acquire('cycle', bounds));
    boots();
    const waiting = install();
    await sleep(2000);
    expect(shownBy(fleet.host)).toEqual({});
    expect((await install('--early')).code).toBe(62);
    await unlock();
    expect((await waiting).code).toBe(62);
    expect(shownBy(fleet.host)).toEqual({ a: 'one' });
  });
});
