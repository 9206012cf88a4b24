import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDeb } from '../../bundle/deb.ts';
import { version } from '../../shared/version.ts';
import { must } from './run.ts';
import { bundled, project } from './single-file.ts';

/**
 * The package for Debian, written into a folder.
 * @param as another version of it, which its agent says as well
 */
export async function debOf(into: string, as = version): Promise<string> {
  const made = await bundled();
  const said = `version = ${JSON.stringify(version)}`;
  if (!made.text.includes(said)) throw new Error(`the bundle does not say ${said}`);
  const text = made.text.replaceAll(said, `version = ${JSON.stringify(as)}`);
  const bundle = { ...made, text };
  return makeDeb({ root: project, into, version: as, bundle, epoch: Date.UTC(2026, 0) / 1000 });
}

/** Stands in for Debian's `nodejs`: its version, and a link to the Node that a machine is shown there. */
export async function standInForNode(into: string, node: string): Promise<string> {
  const tree = mkdtempSync(join(tmpdir(), 'autark-nodejs-'));
  try {
    mkdirSync(join(tree, 'usr/bin'), { recursive: true });
    mkdirSync(join(tree, 'DEBIAN'));
    symlinkSync(node, join(tree, 'usr/bin/node'));
    const control = [
      ...['Package: nodejs', 'Version: 20.19.2+dfsg-1', 'Architecture: all'],
      ...['Maintainer: a test', 'Description: stands in for that of Debian', ''],
    ];
    writeFileSync(join(tree, 'DEBIAN/control'), control.join('\n'));
    const deb = join(into, 'nodejs.deb');
    const env = { PATH: '/usr/bin:/bin' };
    await must('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, deb], { env });
    return deb;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}
