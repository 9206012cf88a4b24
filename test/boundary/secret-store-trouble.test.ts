import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { must } from '../rig/run.ts';
import { inMemory, makeSecretHost, type SecretHost } from '../rig/secret-store.ts';

/** What lies in the clear: each value of each set. */
function inTheClear(host: SecretHost): readonly string[] {
  const store = host.at('run/autark/secrets.d');
  const sets = readdirSync(store).filter((name) => /^\d+$/.test(name));
  return sets.flatMap((set) => readdirSync(`${store}/${set}`).map((name) => `${set}/${name}`)).sort();
}

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

  test.each(['99999999999', '4294967295', 'huge', 'minus'])(
    'the owner %s, whom no file can be given to, is a problem of that secret, and harms no other',
    async (owner) => {
      const host = await makeSecretHost();
      const lines = 'huge:x:99999999999:0::/:/bin/false\nminus:x:4294967295:0::/:/bin/false\n';
      writeFileSync(host.at('etc/passwd'), lines, { flag: 'a' });
      const set = valueOf(
        await host.store.keep([await host.secret('a', '1', { owner }), await host.secret('b', '2')]),
      );
      const { problems, missing } = valueOf(await host.store.place(set?.id ?? null));
      expect(missing).toEqual([]);
      expect(problems).toEqual([expect.stringContaining(`the secret a is root's alone: the user ${owner}`)]);
      expect([host.read('a'), host.read('b')]).toEqual(['1', '2']);
      const file = statSync(host.at('run/autark/secrets/a'));
      expect([file.uid, file.mode & 0o777]).toEqual([0, 0o400]);
      expect(await host.store.mend()).toEqual(problems);
    },
  );

  test('a damaged list of paths keeps no removed value in the clear, and is named each time', async () => {
    const host = await makeSecretHost();
    const a = await host.secret('a', '1', { path: '/etc/a' });
    await host.place([a, await host.secret('gone', 'REMOVED')]);
    writeFileSync(host.at('var/lib/autark/secrets/paths.json'), '');
    const set = valueOf(await host.store.keep([a]));
    for (let round = 0; round < 3; round += 1) {
      const { problems } = valueOf(await host.store.place(set?.id ?? null));
      expect(problems).toEqual([expect.stringMatching(/list of paths .* damaged .*paths\.json/)]);
      expect(inTheClear(host).map((each) => each.split('/')[1])).toEqual(['a']);
    }
    expect(await host.store.placed()).toBe(set?.id);
    expect(await host.store.mend()).toEqual([expect.stringContaining('paths.json')]);
    // As the sentence says.
    rmSync(host.at('var/lib/autark/secrets/paths.json'));
    expect(valueOf(await host.store.place(set?.id ?? null)).problems).toEqual([]);
    expect(await host.store.mend()).toEqual([]);
  });

  test('a set that cannot be shown leaves nothing of itself, and takes with it what a crash left', async () => {
    const host = await makeSecretHost();
    const first = await host.place([await host.secret('a', 'old')]);
    for (const name of ['9', '9.about']) mkdirSync(host.at(`run/autark/secrets.d/${name}`));
    writeFileSync(host.at('run/autark/secrets.d/9/a'), 'of a crash');
    // In the way of what is noted for units.
    mkdirSync(host.at('run/autark/secrets.tell.part'));
    const set = valueOf(await host.store.keep([await host.secret('a', 'new', { restart: ['x.service'] })]));
    for (let round = 0; round < 2; round += 1) {
      expect(failureOf(await host.store.place(set?.id ?? null)).cause).toContain('cannot place secrets');
      expect(inTheClear(host)).toEqual(['1/a']);
      expect(readdirSync(host.at('run/autark/secrets.d'))).toHaveLength(2);
    }
    expect([host.read('a'), await host.store.placed()]).toEqual(['old', first]);
  });

  test('a set that does not fit into memory leaves room for one that does', async () => {
    const root = inMemory();
    const run = `${root}/run/autark`;
    mkdirSync(run, { recursive: true });
    const env = { PATH: process.env['PATH'] ?? '' };
    await must('mount', ['-t', 'tmpfs', '-o', 'mode=0755,size=1m', 'tmpfs', run], { env });
    onTestFinished(async () => {
      await must('umount', [run], { env });
    });
    const host = await makeSecretHost({ root });
    await host.place([await host.secret('a', 'old')]);
    const big = [await host.secret('a', 'x'.repeat(700_000)), await host.secret('b', 'y'.repeat(700_000))];
    const set = valueOf(await host.store.keep(big));
    for (let round = 0; round < 2; round += 1) {
      expect(failureOf(await host.store.place(set?.id ?? null)).kind).toBe('no-space');
      expect(host.read('a')).toBe('old');
    }
    // It needs more than what two such failures would have left.
    await host.place([await host.secret('a', 'z'.repeat(700_000))]);
    expect(host.read('a')).toBe('z'.repeat(700_000));
  });
});
