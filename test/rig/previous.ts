import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { project } from './single-file.ts';

const folder = join(project, 'test/previous');

/** The agent of the version before this one. */
export interface Previous {
  readonly version: string;
  readonly text: string;
}

/** The newest that is kept. */
export function previousAgent(): Previous {
  const found = readdirSync(folder).flatMap((name) => {
    const version = /^autark-(\d+\.\d+\.\d+)\.mjs\.br$/.exec(name)?.[1];
    return version === undefined ? [] : [{ version, name }];
  });
  const order = new Intl.Collator('en', { numeric: true });
  const newest = found.sort((a, b) => order.compare(a.version, b.version)).at(-1);
  if (newest === undefined) throw new Error(`${folder} has no agent`);
  const text = brotliDecompressSync(readFileSync(join(folder, newest.name))).toString('utf8');
  return { version: newest.version, text };
}

export function putPrevious(path: string): void {
  writeFileSync(path, previousAgent().text, { mode: 0o755 });
}
