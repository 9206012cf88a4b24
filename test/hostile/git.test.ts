import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, expect } from 'vitest';
import { against, besiege, forget, victim, withstands } from './siege.ts';

const siege = await besiege('git');
afterAll(() => siege.lift());

const { ground, evil, machine, front, daemon } = siege;
const { server } = ground;

/** Puts a file into the agent's own Git directory, as whoever may write there could. */
function plant(path: string, content: string): string {
  expect(readFileSync(join(machine.memory.git, 'HEAD'), 'utf8')).toMatch(/^ref: /);
  const file = join(machine.memory.git, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** Two commits of evil, the first unsigned and the second an admin's; neither is shown yet. */
async function signedAboveUnsigned(): Promise<{ readonly below: string; readonly above: string }> {
  const below = await server.commit({ files: evil, key: null, ref: null });
  return { below, above: await server.commit({ parents: [below], ref: null }) };
}

let planted = '';
const forgetPlanted = (): void => {
  forget(planted);
};

withstands(siege, 'replaced', {
  cause: 'unsigned',
  async attack() {
    const bad = await server.commit({ files: evil, key: null, ref: null });
    await server.git(['update-ref', `refs/replace/${bad}`, siege.good()]);
    planted = plant(`refs/replace/${bad}`, `${siege.good()}\n`);
    await siege.setMain(bad);
    return bad;
  },
  async mend() {
    const refs = await server.git(['for-each-ref', '--format=delete %(refname)', 'refs/replace']);
    await server.git(['update-ref', '--stdin'], `${refs}\n`);
    forgetPlanted();
  },
});

withstands(siege, 'grafted', {
  cause: 'unsigned',
  async attack() {
    const { below, above } = await signedAboveUnsigned();
    planted = plant('info/grafts', `${above} ${siege.good()}\n`);
    await siege.setMain(above);
    return below;
  },
  mend: forgetPlanted,
});

/**
 * A revision that an admin signed, of which the server keeps one file to itself.
 * @param text the system's, which has been nowhere before
 * @param prepare what happens before it is shown, given that file's object
 */
async function withhold(text: string, prepare: (object: string) => void = () => undefined): Promise<string> {
  const files = ground.system(victim, text);
  const revision = await server.commit({ files, ref: null });
  const before = await server.git(['ls-tree', '-r', '--format=%(objectname)', siege.good()]);
  const now = await server.git(['ls-tree', '-r', '--format=%(objectname)', revision]);
  const object = now.split('\n').find((id) => !before.split('\n').includes(id)) ?? '';
  front.be({ kind: 'lies', lacks: [object] }, victim);
  prepare(object);
  await siege.setMain(revision);
  return object;
}

withstands(siege, 'alternates', {
  cause: 'bytes are not the object',
  isAuthentic: true,
  async attack() {
    const store = join(ground.dir, 'served/store');
    return withhold('not by alternates', (object) => {
      const file = join(store, object.slice(0, 2), object.slice(2));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, deflateSync(Buffer.from('blob 5\0evil\n')));
      planted = plant('objects/info/alternates', `${store}\n`);
    });
  },
  mend: forgetPlanted,
});

withstands(siege, 'shallow', {
  cause: 'history cut short',
  async attack() {
    const { above } = await signedAboveUnsigned();
    front.be({ kind: 'lies', shallow: above }, victim);
    await siege.setMain(above);
    return undefined;
  },
});

withstands(siege, 'partial', {
  cause: 'objects missing',
  async attack() {
    await withhold('not by halves');
    return undefined;
  },
});

let missing = '';
withstands(siege, 'promisor', {
  cause: 'objects missing',
  async attack() {
    appendFileSync(
      join(machine.memory.git, 'config'),
      '[extensions]\n\tpartialClone = autark\n[remote "autark"]\n\tpromisor = true\n\tpartialCloneFilter = blob:none\n',
    );
    front.asked(victim);
    missing = await withhold('not by promises');
    return undefined;
  },
  meanwhile() {
    // It asked for the revision, and went on to nothing else.
    expect(front.asked(victim).wants).not.toContain(missing);
  },
});

withstands(siege, 'cut-pack', {
  cause: 'pack cut off',
  async attack() {
    front.be({ kind: 'cuts', after: 200 }, victim);
    await server.commit({ files: evil, key: null });
    return undefined;
  },
});

withstands(siege, 'garbage-pack', {
  cause: 'pack is garbage',
  async attack() {
    front.be(
      { kind: 'lies', instead: Buffer.from('PACK\0\0\0\u0002'.padEnd(4000, '\u0007 noise ')) },
      victim,
    );
    await server.commit({ files: evil, key: null });
    return undefined;
  },
});

withstands(siege, 'endless-answer', {
  cause: 'endless messages',
  async attack() {
    front.be({ kind: 'endless' }, victim);
    await server.commit({ files: evil, key: null });
    return undefined;
  },
});

withstands(siege, 'redirect', {
  cause: 'redirected',
  async attack() {
    front.be({ kind: 'redirects', to: front.url('elsewhere') }, victim);
    await server.commit({ files: evil, key: null });
    return undefined;
  },
  meanwhile() {
    expect(front.asked('elsewhere').times).toBe(0);
  },
});

against('pushes-refused', async () => {
  const mark = daemon.mark();
  front.be({ kind: 'refuses' });
  const first = await siege.follows('pushes refused');
  await daemon.refuses('push refused', mark);
  await siege.follows('pushes still refused');
  await siege.deploys('pushes taken again');
  await machine.checkPublished(ground.repository);
  expect(await server.git(['log', '--format=%B', machine.stateRef])).toContain(first);
});

against('pushes-swallowed', async () => {
  const mark = daemon.mark();
  front.be({ kind: 'swallows' });
  const first = await siege.follows('pushes swallowed');
  await daemon.refuses('push not kept', mark);
  await siege.follows('pushes still swallowed');
  await siege.deploys('pushes kept again');
  await machine.checkPublished(ground.repository);
  expect(await server.git(['log', '--format=%B', machine.stateRef])).toContain(first);
});
