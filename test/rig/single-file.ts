import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from '../../bundle/bundle.ts';
import { version } from '../../shared/version.ts';
import { must } from './run.ts';

/** The project, which the file must not need. */
export const project = join(import.meta.dirname, '../..');

/** Made once in a process. */
let made: ReturnType<typeof bundle> | undefined;
export function bundled(): ReturnType<typeof bundle> {
  made ??= bundle(project);
  return made;
}

/** Writes the program as one file. @param more put at its end, for one that is newer. */
export async function putSingleFile(path: string, more = ''): Promise<void> {
  writeFileSync(path, (await bundled()).text + more, { mode: 0o755 });
}

/** A PATH that has node and git and nothing else. */
export async function nodeAndGit(folder: string): Promise<string> {
  mkdirSync(folder);
  symlinkSync(process.execPath, join(folder, 'node'));
  const env = { PATH: process.env['PATH'] ?? '' };
  symlinkSync(await must('sh', ['-c', 'command -v git'], { env }), join(folder, 'git'));
  return folder;
}

/** The program as one file of another version, which is all that is different about it. */
export async function agentOf(other: string): Promise<string> {
  const { text } = await bundled();
  const said = `version = ${JSON.stringify(version)};`;
  if (text.split(said).length !== 2) throw new Error('nobody knows where the file has its version');
  return text.replace(said, `version = ${JSON.stringify(other)};`);
}
