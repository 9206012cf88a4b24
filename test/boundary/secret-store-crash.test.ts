import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { expect, test } from 'vitest';
import { valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';
import { makeSecretHost, type SecretHost } from '../rig/secret-store.ts';
import { built, runModule } from './children.ts';

/** Places a set and kills itself before the effect of that number; says what each was, as far as it came. */
const placer = `
  import { fileSecrets } from ${built('secrets/store')};
  import { hostOpener } from ${built('age/identities')};
  const [, root, key, id, last] = process.argv;
  const opener = (await hostOpener(key)).value;
  let number = 0;
  const before = (effect) => {
    number += 1;
    if (number > Number(last)) process.kill(process.pid, 'SIGKILL');
    console.log(effect);
  };
  const store = fileSecrets({
    root, state: root + '/var/lib/autark', run: root + '/run/autark', opener, sealer: undefined,
    env: {}, hasSystemd: false, before,
  });
  const placed = await store.place(id === 'none' ? null : id);
  if (!placed.ok) throw new Error(JSON.stringify(placed));`;

async function cutOff(host: SecretHost, id: string | null, last: number): Promise<readonly string[]> {
  const effects: string[] = [];
  const parameters = [host.root, host.key, id ?? 'none', String(last)];
  await runModule(placer, parameters, (line) => effects.push(line)).ended;
  return effects;
}

/** What a program of the host finds at a path; a link that leads nowhere is not nothing. */
function found(path: string): string {
  try {
    lstatSync(path);
  } catch {
    return 'nothing';
  }
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return `a dangling link to ${readlinkSync(path)}`;
  }
}

const all = Number.MAX_SAFE_INTEGER;

describeWith(['root'], 'placing secrets that is cut off anywhere', () => {
  const make = async () => {
    const host = await makeSecretHost();
    const old = [
      await host.secret('changed', 'old', { path: '/etc/changed', restart: ['app.service'] }),
      await host.secret('removed', 'gone', { path: '/etc/removed' }),
    ];
    const after = [
      await host.secret('changed', 'new', { path: '/etc/changed', restart: ['app.service'] }),
      await host.secret('added', 'fresh', { path: '/srv/added' }),
    ];
    const ids = {
      old: (await host.place(old)) ?? '',
      new: valueOf(await host.store.keep(after))?.id ?? '',
    };
    return { host, ids };
  };
  const isWhole = (host: SecretHost): void => {
    const names = host.shown().join();
    expect(['changed,removed', 'added,changed']).toContain(names);
    expect(host.read('changed')).toBe(names.includes('removed') ? 'old' : 'new');
  };
  const isNew = (host: SecretHost): void => {
    expect(host.shown()).toEqual(['added', 'changed']);
    expect(found(host.at('etc/changed'))).toBe('new');
    expect(found(host.at('srv/added'))).toBe('fresh');
    expect(found(host.at('etc/removed'))).toBe('nothing');
    // One set and what is said about it.
    expect(readdirSync(host.at('run/autark/secrets.d'))).toHaveLength(2);
  };

  test('leaves the old set or the new one, whole; the next placing finishes it, and units are told', async () => {
    const counted = await make();
    const effects = await cutOff(counted.host, counted.ids.new, all);
    expect(effects).toContain('the swap');
    isNew(counted.host);
    for (let last = 0; last < effects.length; last += 1) {
      const { host, ids } = await make();
      expect(await cutOff(host, ids.new, last), `before ${String(effects[last])}`).toHaveLength(last);
      isWhole(host);
      expect(await host.store.placed(), `before ${String(effects[last])}`).not.toBe(ids.new);
      valueOf(await host.store.place(ids.new));
      isNew(host);
      expect(await host.store.placed()).toBe(ids.new);
      expect(found(host.at('run/autark/secrets.tell'))).toBe('restart app.service changed\n');
    }
  });

  test('and the power with it: what boots has its own, and no link of the other', async () => {
    const counted = await make();
    const effects = await cutOff(counted.host, counted.ids.new, all);
    for (let last = 0; last < effects.length; last += 1) {
      const { host, ids } = await make();
      await cutOff(host, ids.new, last);
      rmSync(host.at('run'), { recursive: true });
      valueOf(await host.store.place(ids.old));
      const because = `before ${String(effects[last])}`;
      expect(found(host.at('etc/removed')), because).toBe('gone');
      expect(found(host.at('etc/changed')), because).toBe('old');
      expect(found(host.at('srv/added')), because).toBe('nothing');
      expect(found(host.at('run/autark/secrets.tell')), because).toBe('nothing');
    }
  });

  test('the removal of all is finished by the next one', async () => {
    const counted = await make();
    const effects = await cutOff(counted.host, null, all);
    for (let last = 0; last < effects.length; last += 1) {
      const { host } = await make();
      expect(await cutOff(host, null, last)).toHaveLength(last);
      valueOf(await host.store.place(null));
      const because = `before ${String(effects[last])}`;
      expect(readdirSync(host.at('run/autark/secrets.d')), because).toEqual([]);
      for (const path of [
        'etc/removed',
        'etc/changed',
        'run/autark/secrets',
        'var/lib/autark/secrets/paths.json',
      ])
        expect(found(host.at(path)), because).toBe('nothing');
    }
  });
});
