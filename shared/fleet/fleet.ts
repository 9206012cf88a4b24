/**
 * What `fleet.yaml` says, after parsing: plain data, durations in milliseconds, times in milliseconds since
 * the epoch. `parse.ts` makes it, `resolve.ts` turns one entry into a `Host`.
 */

import type { Check } from '../health/check.ts';
import type { Secret } from '../secrets/secret.ts';

/** A place in a file and what is wrong there. */
export interface Finding {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** The dotted path of the key, such as `hosts.web1.system.kind`; empty for the whole file. */
  readonly key: string;
  readonly cause: string;
  readonly remedy: string;
}

export type SystemSource =
  | { readonly kind: 'nixos'; readonly attr: string; readonly dir: string }
  | { readonly kind: 'exec'; readonly build: string; readonly inputs?: readonly string[] };

export interface Timeouts {
  readonly fetch: number;
  readonly build: number;
  readonly switch: number;
}

export interface Pause {
  readonly reason: string;
  /** Milliseconds since the epoch; absent means until it is removed. */
  readonly until?: number;
}

/** A thing done once in a host's life (docs/steps.md). */
export interface Step {
  readonly name: string;
  /** Paths in the tree: the program, and what it may read besides itself. */
  readonly run: string;
  readonly files: readonly string[];
  /** Names below `/dev/disk/by-id`. Empty: block devices are out of its reach (S16). */
  readonly destroys: readonly string[];
  /** Names of environment variables. */
  readonly credentials: readonly string[];
  /** Milliseconds. */
  readonly timeout: number;
  /** As it is written: what it says is judged when the step is (shared/disk/approval.ts). */
  readonly approved?: unknown;
}

/** A host with defaults, groups and its own values merged: what its agent acts on. */
export interface Host {
  readonly name: string;
  /** `TYPE BASE64`, without a comment; absent until approved. */
  readonly key?: string;
  readonly genesis?: string;
  readonly retired: boolean;
  readonly groups: readonly string[];
  readonly system?: SystemSource;
  readonly activate: 'switch' | 'boot';
  /** What a new generation has to pass, unless it failed before. */
  readonly health: readonly Check[];
  readonly drift: 'report' | 'correct';
  readonly interval: number;
  /** Milliseconds; `null` for `never`: asleep when quiet. */
  readonly heartbeat: number | null;
  readonly timeouts: Timeouts;
  /** Generations to keep besides current, previous and last good. */
  readonly keep: number;
  readonly paused?: Pause;
  /** Whether headers of LUKS volumes are among the backups. */
  readonly luksHeaders: boolean;
  /** In the order in which they run. */
  readonly steps: readonly Step[];
  /** Names of steps that a machine before this one has done (`approve --replace`): they do not run here. */
  readonly done: readonly string[];
  /** Path in the tree of the file that is to be the agent of this host; absent when Git says nothing of it. */
  readonly agentFile?: string;
}

/** A parsed file: hosts are already resolved, in the file's order. */
export interface Fleet {
  readonly fleet: string;
  readonly readers: readonly string[];
  readonly groups: readonly string[];
  readonly hosts: ReadonlyMap<string, Host>;
  /** By name, in the file's order. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** True when `requires` asks for a newer autark than this one: no step may run. */
  readonly tooNew: boolean;
  /** What is tolerated but should be said: unknown keys under a newer `requires`. */
  readonly warnings: readonly Finding[];
}

/** `/etc/autark/agent.yaml`, with defaults filled in. Paths are as written, not yet below `--root`. */
export interface AgentSettings {
  readonly host: string;
  readonly remote: string;
  readonly stateRemote?: string;
  readonly branch: string;
  readonly dir: string;
  readonly introduction: string;
  readonly floor?: string;
  readonly key?: string;
  readonly gitKey?: string;
  readonly knownHosts?: string;
  readonly tokenFile?: string;
  readonly profile?: string;
  /** Milliseconds; wins over `fleet.yaml`. */
  readonly interval?: number;
}
