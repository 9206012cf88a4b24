import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must, run } from './run.ts';
import { makeWorld, type World, writeKey, writePublicKey } from './world.ts';

/** A fleet whose admin is its reader, with three hosts that are invited: none of them exists yet. */
export async function fleetOfThree(): Promise<{ world: World; autark: World['mustAutark'] }> {
  const world = await makeWorld('autark-secret');
  const autark = (args: readonly string[]) => world.mustAutark(args);
  await autark(['init', '--key', '../admin_key', '--push']);
  await inFleet(world, (text) => text.replace(/^groups:.*$/m, 'groups:\n  web: {}'));
  await must('git', ['commit', '-qam', 'Readers'], { cwd: world.clone, env: world.env });
  for (const host of ['web1', 'web2', 'db1']) {
    await hostKey(world, host);
    const group = host === 'db1' ? [] : ['--group', 'web'];
    await autark(['invite', host, '--key', `../${host}.pub`, '--build', 'build', ...group, '--push']);
  }
  return { world, autark };
}

/** A key pair of a machine that does not exist yet, beside the clone. */
export async function hostKey({ dir }: World, host: string): Promise<void> {
  await writePublicKey(`${join(dir, host)}.pub`, await writeKey(join(dir, host), `root@${host}`));
}

/** A change of `fleet.yaml` by hand. */
export async function inFleet({ clone }: World, change: (text: string) => string): Promise<void> {
  const file = join(clone, 'fleet.yaml');
  await writeFile(file, change(await readFile(file, 'utf8')));
}

/** `autark secret set` with this value on standard input. */
export function set(world: World, value: string, args: readonly string[]) {
  return world.autark(['secret', 'set', ...args], { input: value });
}

/** What the program `age` makes of a file with a key of the world. */
export async function opens({ dir, clone }: World, key: string, file: string): Promise<string | null> {
  const ran = await run('age', ['-d', '-i', join(dir, key), join(clone, file)], {});
  return ran.code === 0 ? ran.stdout : null;
}
