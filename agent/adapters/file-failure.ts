import type { Failure } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';

/** The `code` of an error from the system, such as `ENOENT`; `null` when it has none. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/**
 * What a failed file operation means for a person: `no-space` for a full disk or quota, else `unexpected`.
 * @param doing the operation, to follow "cannot": `write the journal`
 */
export function fileFailure(error: unknown, doing: string, where: string): Failure {
  const code = errorCode(error);
  const cause = `cannot ${doing}: ${meaning(code, error)}`;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return {
      kind: 'no-space',
      cause,
      where,
      remedy: 'free some space or inodes on that file system (df, df -i); the agent tries again by itself',
    };
  }
  return { kind: 'unexpected', cause, where, remedy: remedyFor(code) };
}

const meanings: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the file system is read-only',
  EEXIST: 'it is there already',
  ENOENT: 'it, or a folder above it, does not exist',
  ENOTDIR: 'something above it is not a folder',
  EISDIR: 'it is a folder',
  EIO: 'the disk reports an error',
  ELOOP: 'too many symbolic links',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

function meaning(code: string | null, error: unknown): string {
  const known = code === null ? undefined : meanings[code];
  const said = error instanceof Error ? error.message : String(error);
  // Node adds the call and its paths, of which one may be a draft's that is named anew each time.
  return known ?? oneLine(code === null ? said : said.replace(/, \w+( '[^]*)?$/, ''));
}

function remedyFor(code: string | null): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'run this as the user who owns that path, or give this user access to it';
    case 'EROFS':
    case 'EIO':
      return 'look at the kernel log (dmesg) and mend or remount that file system';
    case 'EEXIST':
      return 'move it away if it is not needed any more, then run this again';
    default:
      return 'mend that path, then run this again';
  }
}
