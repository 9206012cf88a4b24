import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/**
 * A small file somewhere below a directory that somebody else owns: no link below it is followed, nothing is opened
 * but directories and files. Step by step as openat(2) would, for which Node has no call, by way of /proc/self/fd
 * (proc_pid_fd(5)). `null` when it is not there, is something else, or holds more than `limit` bytes.
 */
export function readBeneath(directory: string, path: string, limit: number): Buffer | null {
  const opened: number[] = [];
  const open = (where: string, flags: number): number => {
    const fd = openSync(where, O_RDONLY | flags);
    opened.push(fd);
    return fd;
  };
  try {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let folder = open(directory, O_DIRECTORY);
    for (const name of names) folder = open(`/proc/self/fd/${folder}/${name}`, O_DIRECTORY | O_NOFOLLOW);
    return contents(open(`/proc/self/fd/${folder}/${last}`, O_NOFOLLOW | O_NONBLOCK), limit);
  } catch {
    return null;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

function contents(file: number, limit: number): Buffer | null {
  const stat = fstatSync(file);
  if (!stat.isFile() || stat.size > limit) return null;
  const bytes = Buffer.alloc(stat.size);
  return bytes.subarray(0, readSync(file, bytes));
}
