import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObjectId, type ObjectId } from '../../../shared/objects/object.ts';

/**
 * Where a ref of a Git directory is, read from its files: a loose file, else `packed-refs`
 * (gitrepository-layout(5)). `null` when it is in neither, or not a plain object name.
 */
export async function readRef(directory: string, ref: string): Promise<ObjectId | null> {
  const loose = await contents(join(directory, ref));
  if (loose !== null) return objectName(loose.trimEnd());
  const packed = await contents(join(directory, 'packed-refs'));
  const line = packed?.split('\n').find((entry) => entry.slice(41) === ref && entry[40] === ' ');
  return line === undefined ? null : objectName(line.slice(0, 40));
}

function objectName(text: string): ObjectId | null {
  return isObjectId(text) ? text : null;
}

async function contents(path: string): Promise<string | null> {
  return readFile(path, 'latin1').catch(() => null);
}
