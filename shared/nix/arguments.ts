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

/** What names a flake on a command line of Nix. */
export interface FlakeArguments {
  readonly options: readonly string[];
  readonly reference: string;
}

/**
 * `path:DIR?rev=R&revCount=N&lastModified=T` (Nix manual, "Flake references"): a plain directory, never a clone. Nix
 * 2.8 does not take `dir` there: a flake below the tree goes by a name of a registry entry that is the tree, which
 * every version understands.
 */
export function flakeArguments({ path, dir, revision, revCount, lastModified }: FlakeTree): FlakeArguments {
  const query = `lastModified=${lastModified}&rev=${revision}&revCount=${revCount}`;
  const tree = `path:${escaped(path)}?${query}`;
  if (dir === '.') return { options: [], reference: tree };
  return { options: ['--override-flake', 'autark', tree], reference: `flake:autark?dir=${escaped(dir)}` };
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
  const { options, reference } = flakeArguments(tree);
  return [
    'build',
    ...common,
    '--json',
    '--show-trace',
    '--log-format',
    'internal-json',
    '--out-link',
    link,
    ...options,
    `${reference}#nixosConfigurations."${attr}".config.system.build.toplevel`,
  ];
}
