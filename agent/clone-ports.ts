/**
 * What the commands need that a person runs: their clone, their key, their terminal. Plain data, as in ports.ts.
 */
import type { Result } from '../shared/failure.ts';
import type { GitObject, ObjectId } from '../shared/objects/object.ts';
import type { ObjectSource } from '../shared/trust/history.ts';
import type { Remembered } from '../shared/record/remembered.ts';
import type { Opener, Sealer } from './secret-ports.ts';

/** A person's terminal: results go to standard output, everything else to standard error. */
export interface Terminal {
  /** Writes a result; a line end is added if there is none. A reader that has gone away is no error. */
  out(text: string): void;
  /** Writes a line for people. */
  note(line: string): void;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  /** Whether there is somebody to ask. */
  readonly canAsk: boolean;
  /** Columns of standard output; infinite when it is not a terminal. */
  readonly width: number;
  /** Whether standard output may be coloured (https://no-color.org). */
  readonly colour: boolean;
  /** Asks yes or no; anything but yes is no, and so is an interrupt. */
  confirm(question: string): Promise<boolean>;
  /** Asks for a line; an empty one, the end of input and an interrupt are all an empty answer. */
  ask(question: string): Promise<string>;
  /** The same for what nobody may read over a shoulder: what is typed is not shown, and no part of it is left out. */
  askHidden(question: string): Promise<string>;
}

/** A branch of the remote as the clone last saw it; the name is without `refs/remotes/<remote>/`. */
export interface RemoteRef {
  readonly name: string;
  readonly id: ObjectId;
}

export interface NamedObject extends GitObject {
  readonly id: ObjectId;
}

/** The clone's objects for a walk whose next step depends on the one before. */
export interface ObjectReader extends ObjectSource {
  close(): Promise<void>;
}

/** What a clone remembers between two commands. */
export interface CloneMemory {
  /** `null` when there is nothing yet, or nothing that is sure to be of our own writing. */
  load(): Promise<Remembered | null>;
  /** A clone that cannot be written to remembers nothing: that is no failure. */
  save(remembered: Remembered): Promise<void>;
}

/** How far first-parent chains are followed. */
export interface ChainRange {
  /** How many commits at most, of all chains together. */
  readonly limit?: number;
  /** Commits where a chain ends, without them. */
  readonly without?: readonly ObjectId[];
}

/** A person's clone of the fleet repository, for reading. */
export interface Clone {
  /** Absolute path of the work tree. */
  readonly root: string;
  /** What `git config autark.introduction` says, whatever that is; `null` when it says nothing. */
  readonly introduction: string | null;
  readonly memory: CloneMemory;
  /** The branch that is checked out; empty when none is, for the commands that need none. */
  readonly branch: string;
  /** `null` when the branch has no commit yet. */
  readonly head: ObjectId | null;
  /** The branch's upstream remote, else `origin`; `branch` is the branch's name there. */
  readonly remote: {
    readonly name: string;
    /** Without credentials. */
    readonly url: string;
    readonly branch: string;
    /** Whether it is a repository on this machine, which asking often does not burden. */
    readonly isLocal: boolean;
  } | null;
  /** Fetches the configuration branch, all state branches and all waiting machines. */
  fetch(): Promise<Result<void>>;
  /** What `fetch` fetches, as last seen. */
  remoteRefs(): Promise<Result<readonly RemoteRef[]>>;
  /**
   * Objects by id, or by `COMMIT:path`; hashed as they are read, absent ones left out. One process for all.
   */
  read(names: readonly string[]): Promise<Result<ReadonlyMap<string, NamedObject>>>;
  /** How many bytes each of these objects has, without reading it; a failure when one is absent. One process for all. */
  sizes(ids: readonly ObjectId[]): Promise<Result<ReadonlyMap<ObjectId, number>>>;
  /** Must be closed. */
  objects(): Promise<ObjectReader>;
  /**
   * The commits on the first-parent chains of these, each with the one that it follows (`null`: none); from one tip
   * they come in the order of the chain. One process for all.
   */
  firstParents(
    tips: readonly ObjectId[],
    range?: ChainRange,
  ): Promise<Result<ReadonlyMap<ObjectId, ObjectId | null>>>;
  /**
   * The commits that lie between these: each that is below some of them and not below the last that all have in
   * common, with its parents, children first.
   */
  between(tips: readonly ObjectId[]): Promise<Result<ReadonlyMap<ObjectId, readonly ObjectId[]>>>;
  /** How many commits `to` has that `from` lacks; `null` when this clone does not know them. */
  distance(from: ObjectId, to: ObjectId): Promise<number | null>;
}

/** The key with which a person signs commits. */
export interface AdminKey {
  /** `TYPE BASE64`. */
  readonly key: string;
  /** What the person goes by in `allowed_signers`: their e-mail address as git knows it, or the key's comment. */
  readonly owner: string;
  /** The value for `user.signingkey` that makes git find the same key. */
  readonly setting: string;
  /** An armoured SSH signature, namespace `git`; may ask for a passphrase or a touch on the terminal. */
  sign(payload: Uint8Array): Promise<Result<string>>;
}

/** A whole file, its path relative to the clone's root; without a text it is taken away. */
export interface ChangedFile {
  readonly path: string;
  readonly text: string | null;
}

/** What a command commits. */
export interface CloneChange {
  readonly files: readonly ChangedFile[];
  readonly message: string;
}

/** A commit that takes over the tree of another one. */
export interface WholeTree {
  readonly tree: ObjectId;
  readonly parent: ObjectId;
  readonly message: string;
}

export interface InstalledHook {
  /** Absolute. */
  readonly path: string;
  /** False when somebody else's is there, or git looks for hooks in a folder that is not the clone's own. */
  readonly isOurs: boolean;
}

/** The same clone, for the commands that write. */
export interface CloneEditor {
  readonly clone: Clone;
  /** The key at a path (private or `.pub`), else the clone's `user.signingkey`, else `~/.ssh/id_ed25519`. */
  adminKey(file: string | undefined): Promise<Result<AdminKey>>;
  /**
   * Where the key is with which this person opens secrets: at this path, else what `autark.identity` says, else the private half
   * of the signing key, else `~/.ssh/id_ed25519`. Nothing is read.
   */
  identityFile(file: string | undefined): string;
  /** Which of these files differ from the last commit, in the index or in the work tree. */
  uncommitted(paths: readonly string[]): Promise<Result<readonly string[]>>;
  /** Gives the branch that has no commit yet this name. */
  nameUnbornBranch(branch: string): Promise<Result<void>>;
  /**
   * Commits these files on top of the branch, signed with this key, and writes them to the work tree. What else
   * is staged stays staged.
   */
  commit(change: CloneChange, key: AdminKey): Promise<Result<ObjectId>>;
  /**
   * Commits a whole tree above this parent alone, and moves branch and work tree there. Refused, with nothing changed,
   * when the person has changes of their own in files that would become others.
   */
  commitTree(whole: WholeTree, key: AdminKey): Promise<Result<ObjectId>>;
  /**
   * Pushes what is checked out to this branch of the remote, and makes it the upstream if there is none.
   * @param instead what the branch holds there now, if that is to be given up: nothing else is overwritten
   */
  push(branch: string, instead?: ObjectId): Promise<Result<void>>;
  /** Puts a hook (githooks(5)) where git looks for it; one that somebody else wrote is left alone. */
  installHook(name: string, script: string): Promise<Result<InstalledHook>>;
  /** What git shows as the difference between two revisions, as text for people. */
  difference(from: ObjectId, to: ObjectId, files?: readonly string[]): Promise<Result<string>>;
  /** Writes settings into the clone's own configuration. */
  configure(settings: Readonly<Record<string, string>>): Promise<Result<void>>;
}

/** What a person's secrets pass through: values never leave memory here, but by `output`. */
export interface SecretDesk {
  readonly sealer: Sealer;
  /**
   * The keys in a person's file.
   * @param ask for a passphrase, when one is needed; empty when nobody answers
   */
  opener(file: string, ask: (question: string) => Promise<string>): Promise<Result<Opener>>;
  /** All of standard input, byte for byte; refused when it is more than `most` bytes. */
  input(most: number): Promise<Result<Uint8Array>>;
  /** Writes a value to standard output as it is. */
  output(value: Uint8Array): Promise<void>;
  /** What a file holds; refused when it is more than `most` bytes. */
  fileAt(path: string, most: number): Promise<Result<Uint8Array>>;
  /**
   * A value after a person had it in their editor, on a file of theirs alone in a file system that is in memory. The
   * file is gone afterwards, whatever happened.
   */
  edit(value: Uint8Array, name: string, signal: AbortSignal): Promise<Result<Uint8Array>>;
}
