import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { must } from './run.ts';
import { freePort, serveProgram } from './served.ts';
import type { SshPlace } from './ssh-server.ts';

interface Locked {
  readonly version: string;
  readonly integrity?: string;
  readonly dev?: boolean;
}

/** A registry of npm that has what autark needs, byte for byte as `npm ci` has fetched it. */
export interface NpmRegistry {
  /** For `npm_config_registry`. */
  readonly url: string;
  stop(): Promise<void>;
}

const repository = join(import.meta.dirname, '../..');
const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/' };

/** What the packages of the lock are named in a registry, with their versions; the compiler is one of them. */
function lockedPackages(): readonly { name: string; version: string; integrity: string }[] {
  const lock = readFileSync(join(repository, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lock) as { packages: Readonly<Record<string, Locked>> };
  return Object.entries(packages).flatMap(([path, { version, integrity, dev = false }]) => {
    const name = path.replace(/^.*node_modules\//, '');
    return integrity === undefined || (dev && name !== 'typescript') ? [] : [{ name, version, integrity }];
  });
}

/** @param place where it listens */
export async function startNpmRegistry(dir: string, { address, inside }: SshPlace): Promise<NpmRegistry> {
  const folder = join(dir, 'registry');
  mkdirSync(join(folder, 'tarballs'), { recursive: true });
  const port = await freePort();
  const url = `http://${address}:${port}/`;
  const cache = await must('npm', ['config', 'get', 'cache'], { env });
  const versions = new Map<string, Record<string, unknown>>();
  for (const { name, version, integrity } of lockedPackages()) {
    const tarball = `tarballs/${name.replace(/\W/g, '-')}-${version}.tgz`;
    copyFileSync(await cached(cache, `${name}@${version}`, integrity), join(folder, tarball));
    const entry = { name, version, dist: { integrity, tarball: `${url}${tarball}` } };
    versions.set(name, { ...versions.get(name), [version]: entry });
  }
  for (const [name, all] of versions) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    const tags = { latest: Object.keys(all).at(-1) };
    writeFileSync(join(folder, name), JSON.stringify({ name, 'dist-tags': tags, versions: all }));
  }
  const up = join(dir, 'registry-is-up');
  const [file, ...args] = [...inside, process.execPath, '-e', program];
  const served = await serveProgram({
    ...{ file, args: [...args, folder, up, String(port), address], env },
    isUp: () => (existsSync(up) ? Promise.resolve() : Promise.reject(new Error('not listening yet'))),
  });
  return { url, stop: () => served.stop() };
}

/** The file of npm's cache with this content (its `content-v2` is by hash), fetched if it is not there. */
async function cached(cache: string, spec: string, integrity: string): Promise<string> {
  const [algorithm = '', hash = ''] = integrity.split('-');
  const hex = Buffer.from(hash, 'base64').toString('hex');
  const file = join(cache, '_cacache/content-v2', algorithm, hex.slice(0, 2), hex.slice(2, 4), hex.slice(4));
  if (!existsSync(file)) await must('npm', ['cache', 'add', spec], { env });
  return file;
}

/** Files of a folder; a name with a scope comes as one part (`@scope%2fname`). */
const program = `
const [folder, up, port, address] = process.argv.slice(1);
const { readFile, writeFileSync } = require('node:fs');
require('node:http').createServer(({ url }, answer) => {
  readFile(folder + decodeURIComponent(url), (error, content) => {
    answer.writeHead(error ? 404 : 200).end(content);
  });
}).listen(Number(port), address, () => writeFileSync(up, ''));
`;
