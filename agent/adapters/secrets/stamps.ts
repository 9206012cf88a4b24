import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aboutOf, type Layout } from './layout.ts';

/**
 * How each file of a set was when its value had been written: inode, size and time of the last change, which show a file that
 * was put in its place, or written to. Owner and mode are no part of it: they may be given later.
 */
export async function noteStamps(layout: Layout, number: number, names: Iterable<string>): Promise<void> {
  const lines: string[] = [];
  for (const name of names) lines.push(`${name} ${String(await stampOf(layout, number, name))}\n`);
  await writeFile(stampsIn(layout, number), lines.join(''), { mode: 0o600 });
}

/** The values of a set that are not as they were written; none where that was not noted, as by older agents. */
export async function changedIn(layout: Layout, number: number): Promise<ReadonlySet<string>> {
  const text = await readFile(stampsIn(layout, number), 'utf8').catch(() => '');
  const changed = new Set<string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [name = '', ...stamp] = line.split(' ');
    if ((await stampOf(layout, number, name)) !== stamp.join(' ')) changed.add(name);
  }
  return changed;
}

function stampsIn(layout: Layout, number: number): string {
  return join(aboutOf(layout, number), 'stamps');
}

/** `null` where no file is, or none that can be looked at. */
async function stampOf({ store }: Layout, number: number, name: string): Promise<string | null> {
  const stats = await lstat(join(store, String(number), name), { bigint: true }).catch(() => null);
  return stats?.isFile() === true ? `${stats.ino} ${stats.size} ${stats.mtimeNs}` : null;
}
