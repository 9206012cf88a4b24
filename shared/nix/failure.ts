import type { Failure } from '../failure.ts';
import type { NixReport } from './report.ts';

/**
 * What may be to blame when a Nix failed. Told by what Nix does when it is asked for just that part, never by its
 * words, which change between versions:
 * - `space`: the store's file system is full;
 * - `store`: nothing can be added to the store: it is read-only, or the daemon is down;
 * - `lock`: the lock file does not lock every input (S5);
 * - `inputs`: a locked input cannot be had;
 * - `none`: all of these are well, so it is the configuration.
 */
export type NixSuspect = 'space' | 'store' | 'lock' | 'inputs' | 'none';

/** `nix build` when what it fetched is not what the lock file or a hash says (src/libfetchers, src/libstore). */
const hashMismatch = 102;

export interface FailedNix {
  readonly exit: number;
  readonly report: NixReport;
  readonly suspect: NixSuspect;
  /** What Nix said when the suspect was asked. */
  readonly said: string;
  /** Where the flake is, in the tree: `flake.nix` or `DIR/flake.nix`. */
  readonly flake: string;
  readonly attr: string;
}

/** A Nix that exited with an error, as a failure: the world's, or the revision's. */
export function nixFailure(failed: FailedNix): Failure {
  const { report, suspect, flake } = failed;
  const [first] = report.errors;
  const words = first?.text ?? `nix exited with code ${failed.exit}`;
  const detail = report.log === '' ? {} : { detail: report.log };
  if (suspect === 'space' || suspect === 'store') return worldFailure(suspect, failed.said || words);
  if (report.failed > 0) {
    const base = { kind: 'build-failed', where: first?.where ?? flake, remedy: buildRemedy } as const;
    return { ...base, cause: `a derivation failed to build: ${words}`, ...detail };
  }
  if (failed.exit === hashMismatch) {
    const cause = `an input, or something fetched, is not what its hash says: ${words}`;
    return { kind: 'build-failed', cause, where: lockOf(flake), remedy: lockRemedy, ...detail };
  }
  switch (suspect) {
    case 'lock':
      return {
        kind: 'build-failed',
        cause: `the lock file does not lock every input: ${words}`,
        where: lockOf(flake),
        remedy: lockRemedy,
      };
    case 'inputs':
      return {
        kind: 'unreachable',
        cause: `an input of the flake cannot be fetched: ${words}`,
        where: lockOf(flake),
        remedy:
          'check the network and, for a private input, `gitKey`, `knownHosts` and `tokenFile` in agent.yaml; ' +
          'the agent tries again by itself',
        ...(failed.said === '' ? detail : { detail: failed.said }),
      };
    case 'none':
      return {
        kind: 'build-failed',
        cause: `nixosConfigurations.${failed.attr} cannot be evaluated: ${words}`,
        where: first?.where ?? flake,
        remedy: 'mend it and push; the old system runs on',
        ...detail,
      };
    default:
      return suspect satisfies never;
  }
}

function worldFailure(suspect: 'space' | 'store', said: string): Failure {
  if (suspect === 'space') {
    return {
      kind: 'no-space',
      cause: 'the system could not be built: the file system of the Nix store is full',
      where: 'the Nix store',
      remedy: 'make room (nix-collect-garbage, df -h); the agent tries again by itself',
    };
  }
  return {
    kind: 'unexpected',
    cause: `nothing can be added to the Nix store: ${said}`,
    where: 'the Nix store',
    remedy:
      'check that it is writable and that the Nix daemon runs (systemctl status nix-daemon); the agent tries again by itself',
  };
}

const buildRemedy = 'mend it and push; the old system runs on';
const lockRemedy = 'run `nix flake lock` in a clone, commit flake.lock and push; the old system runs on';

function lockOf(flake: string): string {
  return flake.replace(/flake\.nix$/, 'flake.lock');
}
