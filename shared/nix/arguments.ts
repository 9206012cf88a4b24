import type { ObjectId } from '../objects/object.ts';

/** A flake as S5 has it: a verified tree on disk, which Nix is told the Git metadata of. */
export interface FlakeTree {
  /** The tree, absolute. */
  readonly path: string;
  /** The folder of `flake.nix` below it; `.` for the tree itself. */
  readonly dir: string;
  readonly revision: ObjectId;
  readonly revCount: number;
  /** Seconds since the epoch, equal to every mtime in the tree: Nix holds them against each other. */
  readonly lastModified: number;
}

/** `path:DIR?rev=R&revCount=N&lastModified=T` (Nix manual, "Flake references"): a plain directory, never a clone. */
export function flakeReference({ path, dir, revision, revCount, lastModified }: FlakeTree): string {
  const query = [
    ...(dir === '.' ? [] : [`dir=${escaped(dir)}`]),
    `lastModified=${lastModified}`,
    `rev=${revision}`,
    `revCount=${revCount}`,
  ];
  return `path:${escaped(path)}?${query.join('&')}`;
}

/** Percent-encoded but for what a path may hold as it is (RFC 3986, 3.3); Nix 2.8 takes little else. */
function escaped(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/**
 * What every Nix is told, whatever its own configuration says: commands that are still called experimental, no lock
 * file made or changed (S5; never together with `--no-write-lock-file`, which disarms it), no cache that would
 * hide the place of an error the second time, and an end to a builder that prints without end.
 */
export const common = [
  '--extra-experimental-features',
  'nix-command flakes',
  '--no-update-lock-file',
  '--option',
  'eval-cache',
  'false',
  '--option',
  'max-build-log-size',
  String(256 * 2 ** 20),
] as const;

/**
 * Evaluates and builds a NixOS system in one Nix.
 * @param attr the name below `nixosConfigurations`
 * @param link where the result's root is made: it keeps the system from garbage collection from its first moment on
 */
export function buildArguments(tree: FlakeTree, attr: string, link: string): readonly string[] {
  const installable = `${flakeReference(tree)}#nixosConfigurations."${attr}".config.system.build.toplevel`;
  return [
    'build',
    ...common,
    '--json',
    '--show-trace',
    '--log-format',
    'internal-json',
    '--out-link',
    link,
    installable,
  ];
}
