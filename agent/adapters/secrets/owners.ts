import { chmod, chown, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canOwn } from '../../../shared/secrets/owner.ts';
import type { Placing } from '../../../shared/secrets/secret.ts';
import { namesIn } from '../durable.ts';
import { fileFailure } from '../file-failure.ts';
import { askSystemd } from '../systemd.ts';
import { aboutOf, type Layout } from './layout.ts';

export interface OwnersOptions {
  readonly layout: Layout;
  readonly env: Readonly<Record<string, string>>;
  /** Whether to ask all databases of this machine (nsswitch.conf(5)); early in a boot some only make one wait. */
  readonly asksAll: boolean;
}

type Declared = Pick<Placing, 'owner' | 'group' | 'mode'>;
type Find = (database: 'passwd' | 'group', name: string) => Promise<number | null>;

/** The databases as they are now: each file is read once. */
export function finder({ layout, env, asksAll }: OwnersOptions): Find {
  const texts = new Map<string, Promise<string>>();
  return async (database, name) => {
    if (name === 'root') return 0;
    if (/^\d+$/.test(name)) return Number(name);
    const text = texts.get(database) ?? databaseText(layout.root, database);
    texts.set(database, text);
    const found = numberIn(await text, name);
    if (found !== null || !asksAll || layout.root !== '/') return found;
    const asked = await askSystemd('getent', [database, name], env);
    return asked.ok ? numberIn(asked.value, name) : null;
  };
}

/** A folder of `--root` that has no users of its own has those of the machine. */
async function databaseText(root: string, database: string): Promise<string> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  return read(join(root, 'etc', database)).catch(() => read(`/etc/${database}`).catch(() => ''));
}

/** The third field, of a user and of a group alike (passwd(5), group(5)). */
function numberIn(text: string, name: string): number | null {
  const line = text.split('\n').find((each) => each.startsWith(`${name}:`));
  const number = Number(line?.split(':')[2]);
  return line !== undefined && Number.isSafeInteger(number) ? number : null;
}

/**
 * Gives a file that is root's alone to whom it is declared for; what there is to complain of, or `null`, and never more
 * than that: one bad owner harms no other secret (S14). Without root's rights files are the agent's own, as all else that it does.
 */
export async function giveTo(path: string, declared: Declared, find: Find): Promise<string | null> {
  const { owner, group, mode } = declared;
  try {
    if (process.geteuid?.() === 0) {
      const [uid, gid] = [await find('passwd', owner), await find('group', group)];
      if (uid === null) return `the user ${owner} does not exist on this machine`;
      if (gid === null) return `the group ${group} does not exist on this machine`;
      if (!canOwn(uid)) return `the user ${owner} has a number that no file can be given to: ${uid}`;
      if (!canOwn(gid)) return `the group ${group} has a number that no file can be given to: ${gid}`;
      await chown(path, uid, gid);
    } else if (owner !== 'root' || group !== 'root') {
      return `only root can give it to ${owner}:${group}`;
    }
    await chmod(path, mode);
    return null;
  } catch (error) {
    // Such as a number that the user namespace of this machine does not have: of one secret, and no other's business.
    return fileFailure(error, `give it to ${owner}:${group}`, path).cause;
  }
}

/** Notes what has yet to be given to whom. */
export async function noteOwner(about: string, name: string, declared: Declared): Promise<void> {
  const text = `${declared.owner} ${declared.group} ${declared.mode.toString(8).padStart(4, '0')}\n`;
  await writeFile(join(about, `${name}.own`), text, { mode: 0o600 });
}

/** Whether something was noted. Throws the system's error. */
export async function hasNoted(layout: Layout, number: number): Promise<boolean> {
  return (await namesIn(aboutOf(layout, number))).some((file) => file.endsWith('.own'));
}

/** Gives what was noted; what is left of that, in sentences. Throws the system's error. */
export async function giveNoted(options: OwnersOptions, number: number): Promise<readonly string[]> {
  const about = aboutOf(options.layout, number);
  const find = finder(options);
  const left: string[] = [];
  for (const file of (await namesIn(about)).sort()) {
    const name = /^(.+)\.own$/.exec(file)?.[1];
    if (name === undefined) continue;
    // autark-secret@.service may have given it in the meantime.
    const text = await readFile(join(about, file), 'utf8').catch(() => null);
    if (text === null) continue;
    const [owner = '', group = '', mode = ''] = text.trim().split(' ');
    const value = join(options.layout.store, String(number), name);
    const declared = { owner, group, mode: Number.parseInt(mode, 8) };
    const problem = await giveTo(value, declared, find);
    if (problem === null) await rm(join(about, file), { force: true });
    else left.push(ownerSentence(name, problem));
  }
  return left;
}

export function ownerSentence(name: string, problem: string): string {
  return `the secret ${name} is root's alone: ${problem}`;
}
