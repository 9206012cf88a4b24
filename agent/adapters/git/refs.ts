import { isObjectId, type ObjectId } from '../../../shared/objects/object.ts';
import { readBeneath } from '../beneath.ts';

/** Bytes of `packed-refs` that are read: a host has a handful of refs. */
const longest = 16 * 2 ** 20;

/**
 * Where a ref of a Git directory is, read from its files: a loose file, else `packed-refs`
 * (gitrepository-layout(5)). `null` when it is in neither, or not a plain object name.
 */
export function readRef(directory: string, ref: string): ObjectId | null {
  const loose = contents(directory, ref);
  if (loose !== null) return objectName(loose.trimEnd());
  const packed = contents(directory, 'packed-refs');
  const line = packed?.split('\n').find((entry) => entry.slice(41) === ref && entry[40] === ' ');
  return line === undefined ? null : objectName(line.slice(0, 40));
}

function objectName(text: string): ObjectId | null {
  return isObjectId(text) ? text : null;
}

/** The directory belongs to the user that git runs as: it may hold anything (S7). */
function contents(directory: string, path: string): string | null {
  return readBeneath(directory, path, longest)?.toString('latin1') ?? null;
}
