import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Files } from './fleet.ts';
import type { NixStore } from './nix.ts';

const example = join(import.meta.dirname, '../../examples/nixos');
/** A file of the example. */
export const textIn = (path: string): string => readFileSync(join(example, path), 'utf8');

/** All but `fleet.yaml`, as they are. */
export function sharedFiles(): Record<string, string> {
  const paths = readdirSync(example, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => path !== 'fleet.yaml' && statSync(join(example, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, textIn(path)]));
}

/** The same, with a `fleet.yaml` whose placeholders are filled from what `init` and `approve` made. */
export function exampleFiles(fleetYaml: string): Files {
  return { ...sharedFiles(), 'fleet.yaml': filled(fleetYaml) };
}

interface FleetYaml {
  readonly fleet: string;
  readonly readers: readonly string[];
  readonly hosts: Readonly<Record<string, { readonly key: string; readonly genesis: string }>>;
}

function filled(made: string): string {
  const { fleet, readers, hosts } = parse(made) as FleetYaml;
  const known = [fleet, ...['server', 'laptop'].map((name) => hosts[name]?.genesis ?? '')];
  const keys = [readers[0] ?? '', ...['server', 'laptop'].map((name) => hosts[name]?.key ?? '')];
  return textIn('fleet.yaml')
    .replace(/^(?!#).*0000…/gm, (line) => line.replace('0000…', () => known.shift() ?? ''))
    .replace(/^(?!#)(.*)ssh-ed25519 AAAA….*$/gm, (_line, before: string) => `${before}${keys.shift() ?? ''}`);
}

/** Folders with the inputs of the example's flake. */
export interface Inputs {
  readonly nixpkgs: string;
  readonly autark: string;
}

/**
 * `flake.lock` as `nix flake lock` writes it, but for where the inputs are.
 * @param there where whoever uses the lock has the folder
 */
export async function lockFor(
  store: NixStore,
  inputs: Inputs,
  there: (path: string) => string = (path) => path,
): Promise<string> {
  const flake = textIn('flake.nix');
  const [, owner, repo, ref] = /"github:([^/]+)\/([^/]+)\/([^"]+)"/.exec(flake) ?? [];
  const [, url] = /"git\+(https:[^"]+)"/.exec(flake) ?? [];
  const locked = async (path: string) => ({
    ...{ type: 'path', path: there(path) },
    narHash: await hashOf(store, path),
  });
  const nodes = {
    nixpkgs: { locked: await locked(inputs.nixpkgs), original: { type: 'github', owner, repo, ref } },
    autark: {
      inputs: { nixpkgs: ['nixpkgs'] },
      ...{ locked: await locked(inputs.autark), original: { type: 'git', url } },
    },
    root: { inputs: { nixpkgs: 'nixpkgs', autark: 'autark' } },
  };
  return JSON.stringify({ nodes, root: 'root', version: 7 });
}

async function hashOf(store: NixStore, path: string): Promise<string> {
  const said = await store.nix('nix', '--extra-experimental-features', 'nix-command', 'hash', 'path', path);
  return said.trim();
}
