import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const example = join(import.meta.dirname, '../../examples/git-server');

/** The line of the example's `authorized_keys` for this name, with a real key. */
export function lineFor(name: string, publicKey: string): string {
  const lines = readFileSync(join(example, 'authorized_keys'), 'utf8').split('\n');
  const line = lines.find((each) => !each.startsWith('#') && each.endsWith(` ${name}`));
  if (line === undefined) throw new Error(`the example has no line for ${name}`);
  return line.replace(/ssh-ed25519 \S+ .*$/, publicKey.trim());
}

/** Puts the example's hook into a bare repository. */
export function installHook(repository: string): void {
  const hooks = join(repository, 'hooks');
  mkdirSync(hooks, { recursive: true });
  copyFileSync(join(example, 'update'), join(hooks, 'update'));
}
