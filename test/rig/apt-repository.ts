import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { must } from './run.ts';

/** A Debian package of the test's own. */
export interface DebianPackage {
  readonly name: string;
  /** By path from `/`; those below `/etc` are conffiles. */
  readonly files?: Readonly<Record<string, string>>;
  /** Shell lines that dpkg runs when it configures the package. */
  readonly postinst?: readonly string[];
}

/**
 * Makes a folder that apt can use as `deb [trusted=yes] file:FOLDER ./` (Debian Repository Format, flat; deb(5)).
 * @param folder where it is to be
 */
export async function makeAptRepository(folder: string, packages: readonly DebianPackage[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const entries: string[] = [];
  for (const each of packages) entries.push(await makePackage(folder, each));
  writeFileSync(join(folder, 'Packages'), entries.join('\n'));
}

/** Its paragraph of `Packages`. */
async function makePackage(
  folder: string,
  { name, files = {}, postinst = [] }: DebianPackage,
): Promise<string> {
  const env = { PATH: '/usr/bin:/bin' };
  const built = mkdtempSync(join(tmpdir(), 'autark-package-'));
  const deb = join(folder, `${name}.deb`);
  const write = (path: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(built, path)), { recursive: true });
    writeFileSync(join(built, path), text, { mode });
  };
  try {
    const control = [`Package: ${name}`, 'Version: 1', 'Architecture: all', 'Maintainer: a test'];
    write('DEBIAN/control', [...control, 'Description: of a test', ''].join('\n'));
    const conffiles = Object.keys(files).filter((path) => path.startsWith('/etc/'));
    write('DEBIAN/conffiles', conffiles.map((path) => `${path}\n`).join(''));
    if (postinst.length > 0)
      write('DEBIAN/postinst', ['#!/bin/sh', 'set -e', ...postinst, ''].join('\n'), 0o755);
    for (const [path, text] of Object.entries(files)) write(path, text);
    await must('dpkg-deb', ['--build', '--root-owner-group', '-Znone', built, deb], { env });
    const sha256 = createHash('sha256').update(readFileSync(deb)).digest('hex');
    return [
      ...control,
      `Filename: ./${name}.deb`,
      `Size: ${statSync(deb).size}`,
      `SHA256: ${sha256}`,
      '',
    ].join('\n');
  } finally {
    rmSync(built, { recursive: true, force: true });
  }
}
