import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Every file, link and folder below a folder, by path. */
export type Traces = Readonly<Record<string, string>>;

/**
 * What lies below a folder: kind, mode, owner and content of everything, so that whatever was written shows.
 * @param aside folders and files to leave out, absolute
 */
export function tracesIn(folder: string, aside: readonly string[]): Traces {
  const found: Record<string, string> = {};
  const open = [folder];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (aside.includes(next)) continue;
    const stat = lstatSync(next);
    const owner = `${stat.mode.toString(8)} ${stat.uid}:${stat.gid}`;
    if (stat.isDirectory()) {
      found[next] = owner;
      for (const name of readdirSync(next)) open.push(join(next, name));
    } else if (stat.isSymbolicLink()) {
      found[next] = `${owner} -> ${readlinkSync(next)}`;
    } else {
      found[next] = `${owner} ${createHash('sha256').update(readFileSync(next)).digest('hex')}`;
    }
  }
  return found;
}
