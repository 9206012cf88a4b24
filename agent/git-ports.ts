/** The agent's Git directory, and the server behind it. */
import type { Result } from '../shared/failure.ts';
import type { GitObject, ObjectId } from '../shared/objects/object.ts';
import type { Bounds } from './ports.ts';

/** One compare-and-swap of a branch on the server; `null` means absent. */
export interface RefUpdate {
  /** Full name, such as `refs/heads/state/web1`. */
  readonly ref: string;
  readonly to: ObjectId | null;
  readonly expected: ObjectId | null;
  /** Replaces whatever is there: for a branch that nobody else has any business with. */
  readonly isForced?: boolean;
}

/** Where the server has this host's state branch. */
export interface StateTip {
  readonly id: ObjectId;
  /** Git would not take it (`fsckObjects`): it cannot be read, and this host never made it. */
  readonly isRefused: boolean;
}

/** The agent's own, disposable Git directory and the server behind it (S7). */
export interface Git {
  /** Fetches the configuration branch alone and says where it is; spawns one git and no more. */
  fetchHead(bounds: Bounds): Promise<Result<ObjectId>>;
  /** Where `testing/<host>` was when the head was last fetched; `null` when there was none. Spawns nothing. */
  testingTip(): Promise<ObjectId | null>;
  /** How many commits can be reached from one, itself included, as Nix has it in `revCount`. */
  countCommits(id: ObjectId, bounds: Bounds): Promise<Result<number>>;
  /** Fetches this host's own state branch; `null` when the server has none. */
  fetchState(bounds: Bounds): Promise<Result<StateTip | null>>;
  /** One object, hashed as it is read (S5); missing or false bytes are a failure. */
  read(id: ObjectId): Promise<Result<GitObject>>;
  /**
   * Hands over the commits that can be reached from `head` and from none of `bases`, and their root trees, hashed
   * (S5), in no order that may be relied on, each as soon as it is read. It is meant to be quick and promises
   * nothing: whatever goes wrong, it ends early, and who needs more asks for it by `read`.
   */
  readAhead(
    head: ObjectId,
    bases: readonly ObjectId[],
    take: (id: ObjectId, object: GitObject) => void,
  ): Promise<void>;
  /** Takes the objects of a pack, such as an outbox entry, into the Git directory. */
  store(pack: Uint8Array): Promise<Result<void>>;
  /** All updates are asked for in one push; the first that is refused is the failure. */
  push(updates: readonly RefUpdate[], bounds: Bounds): Promise<Result<void>>;
  /** Ends helper processes; a later call starts them again. */
  close(): Promise<void>;
}
