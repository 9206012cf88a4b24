import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { oneByte } from './one-byte.ts';

/** A package that is part of the bundle, under its licence. */
export interface Licensed {
  readonly name: string;
  readonly version: string;
  /** As package.json says it: an SPDX expression. */
  readonly licence: string;
  /** The whole text of its licence files. */
  readonly text: string;
}

/**
 * The packages that these files belong to, in the order of their names.
 * @param files relative to `root`, which is absolute; those outside of node_modules are the project's own
 */
export function packagesIn(files: readonly string[], root: string): readonly Licensed[] {
  const folders = files.flatMap((file) => /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []);
  return [...new Set(folders)].sort().map((folder) => readPackage(join(root, folder)));
}

function readPackage(folder: string): Licensed {
  const said = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Readonly<
    Record<'name' | 'version' | 'license', unknown>
  >;
  const { name, version, license } = said;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file));
  // Nothing is passed on of which nobody said that it may be.
  if (typeof name !== 'string' || typeof version !== 'string' || typeof license !== 'string')
    throw new Error(`${folder}/package.json does not say its name, version and licence`);
  if (files.length === 0) throw new Error(`${folder} has no licence file`);
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  return { name, version, licence: license, text: texts.join('\n\n') };
}

/** All licences as one comment. */
export function licencesOf(packages: readonly Licensed[]): string {
  const each = packages.map(
    ({ name, version, licence, text }) => `${name} ${version} (${licence})\n\n${text}\n`,
  );
  const head = 'This file contains these packages, each under its own licence:';
  const body = [head, ...each].join(`\n${'-'.repeat(72)}\n`);
  return `/*!\n${inComment(body)}*/\n`;
}

/** Nothing may end the comment. */
function inComment(text: string): string {
  return oneByte(text.replaceAll('\r\n', '\n').replaceAll('*/', '* /'));
}
