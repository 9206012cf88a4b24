import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** How far a Git directory is in doubt. Beside it on disk, for an agent that starts anew for every cycle. */
export interface Doubt {
  /** Failed fetches in a row that the directory may be the reason for. */
  readonly failures: number;
  /** Something in it could not be read: the next fetch begins with a new one. */
  readonly distrusted: boolean;
}

const none: Doubt = { failures: 0, distrusted: false };

export interface DoubtFile {
  readonly now: () => Doubt;
  readonly set: (doubt: Doubt) => void;
  readonly clear: () => void;
}

/** Read once, written when it changes: without doubt there is no file, and an idle poll leaves the disk alone. */
export function openDoubt(path: string): DoubtFile {
  let doubt: Doubt | undefined;
  const set = (changed: Doubt): void => {
    doubt = changed;
    try {
      writeFileSync(path, `${changed.failures}${changed.distrusted ? ' distrusted' : ''}\n`);
    } catch {
      // On a disk that takes nothing, doubt lasts as long as this process.
    }
  };
  return {
    now: () => (doubt ??= read(path)),
    set,
    clear() {
      const before = (doubt ??= read(path));
      if (before.failures > 0 || before.distrusted) rmSync(path, { force: true });
      doubt = none;
    },
  };
}

function read(path: string): Doubt {
  try {
    const [count, word] = readFileSync(path, 'utf8').trim().split(' ');
    return { failures: Number(count) || 0, distrusted: word === 'distrusted' };
  } catch {
    return none;
  }
}
