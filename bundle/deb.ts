import { createHash } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bashScript } from '../agent/cli/completion-bash.ts';
import { fishScript } from '../agent/cli/completion-fish.ts';
import { manualPage } from '../docs/manual.ts';
import type { Bundle } from './bundle.ts';
import { licencesOf } from './licences.ts';
import { tool } from './tool.ts';

export interface DebOptions {
  /** The project's folder, absolute. */
  readonly root: string;
  /** The folder that it is written to, which is there. */
  readonly into: string;
  readonly version: string;
  readonly bundle: Bundle;
  /** Seconds since 1970: the time of all that is in it (reproducible-builds.org, SOURCE_DATE_EPOCH). */
  readonly epoch: number;
}

/** Debian's own: another Node that stands first on somebody's PATH is not the one that the package depends on. */
const node = '/usr/bin/node';
const program = '/usr/lib/autark/autark.mjs';
const command = '/usr/bin/autark';
/** What units of secrets run: a shell's script. */
const secret = '/usr/lib/autark/autark-secret';

/**
 * The package for Debian, made by dpkg-deb: the same options give the same bytes.
 * @returns the file
 */
export async function makeDeb(options: DebOptions): Promise<string> {
  const { into, version, epoch } = options;
  const tree = mkdtempSync(join(tmpdir(), 'autark-deb-'));
  try {
    const files = await contents(options);
    for (const [path, { content, mode }] of Object.entries(files)) put(tree, path, content, mode);
    const link = join(tree, command);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync('../lib/autark/autark.mjs', link);
    for (const [name, { content, mode }] of Object.entries(control(options, files)))
      put(tree, `DEBIAN/${name}`, content, mode);
    openFolders(tree);
    const file = join(into, `autark_${version}_all.deb`);
    // More threads would cut what is compressed into other blocks.
    const call = ['--root-owner-group', '-Zxz', '--threads-max=1', '--build', tree, file];
    await tool('dpkg-deb', call, { env: { SOURCE_DATE_EPOCH: String(epoch) } });
    return file;
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

interface Entry {
  readonly content: Uint8Array;
  readonly mode: number;
}
type Entries = Readonly<Record<string, Entry>>;

const entry = (content: string | Uint8Array, mode = 0o644): Entry => ({
  content: typeof content === 'string' ? Buffer.from(content) : content,
  mode,
});

/** By path from `/`. */
async function contents({ root, bundle }: DebOptions): Promise<Entries> {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const units = readdirSync(join(root, 'systemd')).filter((name) => /\.(service|timer|mount)$/.test(name));
  const licences = `${read('LICENSE')}\n${licencesOf(bundle.packages)}`;
  return {
    [program]: entry(bundle.text.replace(/^#!.*/, `#!${node}`), 0o755),
    ...Object.fromEntries(
      units.map((name) => [
        `/usr/lib/systemd/system/${name}`,
        entry(
          read(`systemd/${name}`).replaceAll('@autark@', `${node} ${program}`).replaceAll('@secret@', secret),
        ),
      ]),
    ),
    [secret]: entry(read('systemd/autark-secret'), 0o755),
    '/usr/lib/sysusers.d/autark.conf': entry(read('systemd/autark.sysusers.conf')),
    '/usr/share/bash-completion/completions/autark': entry(bashScript()),
    '/usr/share/fish/vendor_completions.d/autark.fish': entry(fishScript()),
    '/usr/share/doc/autark/copyright': entry(licences),
    '/usr/share/doc/autark/changelog.gz': entry(await zipped(read('CHANGELOG.md'))),
    '/usr/share/man/man1/autark.1.gz': entry(await zipped(manualPage())),
  };
}

/** What dpkg reads (deb-control(5)); the sums are what `dpkg --verify autark` looks at. */
function control({ root, version }: DebOptions, files: Entries): Entries {
  const folder = join(root, 'bundle/debian');
  const sizes = Object.values(files).map(({ content }) => Math.ceil(content.length / 1024));
  const size = sizes.reduce((sum, each) => sum + each, 0);
  const sums = Object.entries(files).map(
    ([path, { content }]) => `${createHash('md5').update(content).digest('hex')}  ${path.slice(1)}\n`,
  );
  const scripts = ['postinst', 'prerm', 'postrm'].map(
    (name) => [name, entry(readFileSync(join(folder, name), 'utf8'), 0o755)] as const,
  );
  const text = readFileSync(join(folder, 'control'), 'utf8');
  return {
    control: entry(text.replace('@version@', version).replace('@size@', String(size))),
    md5sums: entry(sums.sort().join('')),
    ...Object.fromEntries(scripts),
  };
}

/** Without name and time. */
function zipped(text: string): Promise<Uint8Array> {
  return tool('gzip', ['-9n'], { input: text });
}

function put(tree: string, path: string, content: Uint8Array, mode: number): void {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  // Whatever the umask is.
  chmodSync(file, mode);
}

function openFolders(folder: string): void {
  chmodSync(folder, 0o755);
  for (const each of readdirSync(folder, { withFileTypes: true }))
    if (each.isDirectory()) openFolders(join(folder, each.name));
}
