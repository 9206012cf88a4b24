import { existsSync, lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { makeSecretHost } from '../rig/secret-store.ts';

/** What stands in the way of placing, and what an earlier set left. */
describeWith(['root'], 'a host’s secrets', () => {
  test('a path that cannot even be looked at is named, and harms neither the others nor the placing', async () => {
    const host = await makeSecretHost();
    symlinkSync('loop', host.at('etc/loop'));
    const set = valueOf(
      await host.store.keep([
        await host.secret('a', '1', { path: '/etc/loop/a' }),
        await host.secret('b', '2', { path: `/etc/${'b'.repeat(300)}` }),
        await host.secret('c', '3', { path: '/etc/c' }),
      ]),
    );
    const { problems } = valueOf(await host.store.place(set?.id ?? null));
    expect(problems.map((each) => each.split(' ').at(-1)).sort()).toEqual(['ELOOP', 'ENAMETOOLONG']);
    expect(readFileSync(host.at('etc/c'), 'utf8')).toBe('3');
    expect(await host.store.placed()).toBe(set?.id);
    await host.place([]);
    expect(() => lstatSync(host.at('etc/c'))).toThrow('ENOENT');
  });

  test('what another set had to tell a unit goes with it, unless this one declares that unit too', async () => {
    const host = await makeSecretHost();
    const told = (): string | null =>
      existsSync(host.at('run/autark/secrets.tell'))
        ? readFileSync(host.at('run/autark/secrets.tell'), 'utf8')
        : null;
    await host.place([await host.secret('a', '1')]);
    await host.place([await host.secret('a', '2', { restart: ['typo@.service', 'app.service'] })]);
    expect(told()).toBe('restart typo@.service a\nrestart app.service a\n');
    await host.place([await host.secret('a', '2', { restart: ['app.service'] })]);
    expect(told()).toBe('restart app.service a\n');
    await host.place([]);
    expect(told()).toBeNull();
  });

  test('values are gone even where their links cannot be taken care of', async () => {
    const host = await makeSecretHost();
    await host.place([await host.secret('a', '1', { path: '/etc/a' })]);
    writeFileSync(host.at('var/lib/autark/secrets/paths.json'), 'damaged');
    expect(failureOf(await host.store.place(null)).cause).toContain('damaged');
    expect(readdirSync(host.at('run/autark/secrets.d'))).toEqual([]);
  });
});
