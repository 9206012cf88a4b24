import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import type { Files, Server } from '../rig/fleet.ts';

/**
 * What the suite needs of a pull agent, whichever it is: this file and `attacks.ts` are all that another one has to
 * meet. An agent is driven as people drive it, by its command line and its files, and judged by what it says and
 * by what its machine runs.
 */
export interface Subject {
  /** How this agent names each cause. */
  readonly says: Readonly<Record<Cause, Said>>;
  /** A fleet with one admin and no machines yet, below a folder of its own. */
  found(name: string): Promise<Ground>;
}

/** Why an agent does not follow what it was shown. */
export type Cause =
  /** Signatures. */
  | 'unsigned'
  | 'not an admin'
  | 'made for another purpose'
  | 'OpenPGP'
  | 'X.509'
  | 'two signatures'
  /** History. */
  | 'below the floor'
  | 'not from the introduction'
  | 'merged from outside'
  /** The configuration itself. */
  | 'configuration unreadable'
  | 'not a host name'
  | 'refused by git'
  /** Trees. */
  | 'look-alike of .git'
  | 'link out of the tree'
  | 'submodule'
  | 'too many entries'
  | 'too large a file'
  | 'too deep'
  /** The server. */
  | 'objects missing'
  | 'bytes are not the object'
  | 'history cut short'
  | 'pack cut off'
  | 'pack is garbage'
  | 'endless messages'
  | 'redirected'
  | 'push refused'
  | 'push not kept'
  /** What the server holds of the host’s own state; nothing to refuse, but to be told. */
  | 'state gone'
  | 'state set back'
  | 'state not its own'
  /** The agent’s own knowledge. */
  | 'no memory of its own'
  | 'state is another’s'
  /** Who the machine is. */
  | 'another machine is that host'
  | 'not approved';

export interface Said {
  /** The exit code of one cycle that ends so. */
  readonly code: number;
  /** Found in what the agent prints, and in what it publishes. */
  readonly words: RegExp;
  /** Whether it tells the server, where it can. */
  readonly isPublished: boolean;
}

export interface Outcome {
  readonly code: number | null;
  /** Both streams. */
  readonly output: string;
}

/** A fleet, and the folder that it lives in. */
export interface Ground {
  readonly dir: string;
  /** The bare repository with its configuration on `refs/heads/main`. */
  readonly repository: string;
  /** Folders of the test's own that no agent has to do with: the repository, an admin's clone. */
  readonly aside: readonly string[];
  /** Makes commits in the repository. */
  readonly server: Server;
  readonly admin: PrivateKey;
  /** The commit that trust begins with. It has a parent. */
  readonly introduction: string;
  /** The file with the fleet’s configuration. */
  readonly configuration: string;
  /** That file, with one more host, of this name. */
  withHost(name: string): Promise<Files>;
  /** How `admins` are written down, and where. */
  admins(keys: readonly PrivateKey[]): Files;
  /**
   * What makes this text the host's system: see `Machine.running`.
   * @param also shell lines that a build of it runs
   */
  system(host: string, text: string, also?: string): Files;
  /** Makes a machine known under a name. */
  enrol(name: string, remote: string, as?: string): Promise<Enrolled>;
  /** A second machine with the first one's disk. */
  copyOf(machine: Machine, as: string): Promise<Machine>;
  /** A machine set up as that host by somebody who has a clone of the repository, and nothing of the host's own. */
  pretender(machine: Machine, as: string): Promise<Machine>;
  /** An admin says that the machine with this fingerprint is that host. */
  approve(name: string, fingerprint: string): Promise<Outcome>;
  /** A person who knows only this remote looks at the fleet: whether all is well, and whether something is not what it says. */
  look(remote: string): Promise<Outcome & { readonly doubts: boolean }>;
  /** The same person has everything checked that can be. */
  audit(remote: string): Promise<Outcome>;
  remove(): Promise<void>;
}

export interface Enrolled extends Outcome {
  readonly machine: Machine;
  readonly fingerprint: string;
  /** The ref under which it waits to be approved; empty if there is none. */
  readonly waitsAt: string;
}

export interface Machine {
  readonly name: string;
  readonly root: string;
  /** Folders that are the agent's own, absolute: nobody minds what happens there. */
  readonly own: readonly string[];
  /** Files that an activation writes, absolute. */
  readonly activated: readonly string[];
  /** Where it keeps what it must remember, below its own folders. */
  readonly memory: Memory;
  /** Sends the agent elsewhere from now on. */
  setRemote(url: string): void;
  /** One cycle, from start to end. */
  once(): Promise<Outcome>;
  /** The agent as a service, which looks every few seconds. */
  start(): Daemon;
  /** The machine shall go on after its agent stopped for want of knowledge. */
  resume(): Promise<Outcome>;
  running(): Running;
  /** The newest that the agent published in this repository, as text; empty if nothing. */
  published(repository: string): Promise<string>;
  /** Whether all that it published there hangs together; throws where it does not. */
  checkPublished(repository: string): Promise<void>;
  /** The ref that it publishes to. */
  readonly stateRef: string;
}

export interface Memory {
  /** The file without which it knows nothing of its own. */
  readonly journal: string;
  /** All of it: what a snapshot of the machine would bring back. */
  readonly folder: string;
  /** The Git directory that it fetches into. */
  readonly git: string;
  /** The key by which it proves who it is. */
  readonly key: string;
}

export interface Running {
  /** The text of the system that was last activated. */
  readonly system: string | null;
  /** One line each, oldest first. */
  readonly activations: readonly string[];
}

export interface Daemon {
  /** How much it has said so far. */
  mark(): number;
  /** All since then but that nothing happened, for people. */
  said(since: number): string;
  /** Waits until it says that it does not follow for this cause; all that it said since the mark. */
  refuses(cause: Cause, since: number): Promise<string>;
  /** Waits until it says something of the kind. */
  says(words: RegExp, since: number): Promise<string>;
  /** Waits until the server has everything that it published. */
  delivers(since: number): Promise<void>;
  /** Asks it to look now, if it can be asked: to save time, for it looks by itself soon enough. */
  nudge(): void;
  /** Asks it to end; its exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

/** autark, or what another module exports as `subject`. */
export async function loadSubject(): Promise<Subject> {
  const module = process.env['HOSTILE_SUBJECT'] ?? './autark.ts';
  const loaded = (await import(module)) as { readonly subject: Subject };
  return loaded.subject;
}
