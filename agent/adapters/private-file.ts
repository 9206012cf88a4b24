import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Writes a file that only our user can read, for it may hold a secret; one that says the same already is left alone,
 * so that an idle poll leaves the disk alone (P9). Not synced: it can be made anew. Throws the system's error.
 */
export function replacePrivate(path: string, text: string): void {
  if (contents(path) === text) return;
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

function contents(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
