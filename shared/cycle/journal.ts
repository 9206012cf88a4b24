import type { ObjectId } from '../objects/object.ts';
import type { RunningSystem, StateEvent } from '../record/status.ts';
import type { Phase, Tried } from './phase.ts';

/** A system as built, before or after it became a generation. */
export interface BuiltSystem {
  readonly kind: 'nixos' | 'exec';
  readonly path: string;
  /** Equal digests mean the same system. */
  readonly digest: string;
  /** What the build depended on, if it said so: an equal key means that nothing need be built. */
  readonly inputs?: string;
  /** The link that keeps a path of the Nix store from garbage collection, below `systems/`. */
  readonly root?: string;
  /** SHA-256 in hex of the agent's own file that goes with it; absent when the agent is to stay what it is. */
  readonly agent?: string;
  /** The id of its set of secrets (S14); absent when it has none. */
  readonly secrets?: string;
}

/** A system's own place below `systems/`: the system itself, or its root. */
export function placeOf({ path, root }: Pick<BuiltSystem, 'path' | 'root'>): string {
  return root ?? path;
}

/** One activated system, kept so that it can come back without Git. */
export interface Generation extends BuiltSystem {
  readonly number: number;
  readonly revision: ObjectId;
}

/** A system that was activated and gone back from, or could not even be gone back from. */
export interface FailedSystem extends Tried {
  /** The revision at which it was tried last. */
  readonly revision: ObjectId;
  /** How often it was tried; bounded also while the world is at fault, so that a machine never loops. */
  readonly attempts: number;
  /** How the last attempt ended: 40 and 41 are final, a fault of the world is tried again. */
  readonly code: number;
  readonly cause: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The key that this machine is going to have, once an authentic revision pins it. */
export interface Successor {
  /** Absolute path of the private key. */
  readonly file: string;
  /** `TYPE BASE64`. */
  readonly key: string;
  /** Signed by that key; it waits in the outbox until the first record after it was delivered. */
  readonly genesis: ObjectId;
  /** Whether the server has it below `enroll/`. */
  readonly isOffered: boolean;
}

/** Another life of this host writes the same state branch: nothing is pushed until a person decides (S9). */
export interface Divergence {
  readonly cause: string;
  /** The record on the server that shows it. */
  readonly where: ObjectId;
  /** True once `enroll --resume` said that this machine is the one that goes on. */
  readonly goesOn: boolean;
}

/** What the last finished cycle found, repeated while nothing changes. */
export interface Standing {
  readonly head: ObjectId;
  /** A digest of what the finding rested on besides the head: settings, key and version of the agent. */
  readonly under: string;
  readonly event: StateEvent;
  readonly code: number;
  readonly cause: string;
  /** Milliseconds since the epoch at which a pause ends and the head is looked at again. */
  readonly until?: number;
}

/** What this host runs, as far as its own files say. */
export interface Running extends Omit<RunningSystem, 'testing'> {
  readonly digest: string;
  readonly inputs?: string;
  readonly root?: string;
  readonly agent?: string;
  readonly secrets?: string;
  /** The boot id under which it was activated with `test`: it is not what the machine boots. */
  readonly testedIn?: string;
  /** The boot id under which it was made the boot default alone: it does not run before the next boot. */
  readonly waitsIn?: string;
}

/** The links that say what a machine boots and runs: two of NixOS, and `current` of a machine of kind exec. */
export type LinkName = 'profile' | 'current-system' | 'current';

/** A link that leads elsewhere than the agent left it. */
export interface Stray {
  readonly link: LinkName;
  /** Where the agent had it lead. */
  readonly should: string;
  /** Where it was found to lead; `null` when it is missing or no link. */
  readonly leads: string | null;
}

/** What was found to have been changed by hand, and was recorded as that. */
export interface Drift {
  /** At least one. */
  readonly strays: readonly Stray[];
}

/** When this host last looked at its disks; `null` in the journal once it has to look again. */
export interface DisksSeen {
  /** What `seenAs` made of a glance, and of who may read what was kept. */
  readonly glance: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Nothing could be kept of that look. */
  readonly isFailed?: true;
}

/** What the journal held before a generation became the boot default that has not run yet. */
export interface Unproved extends Pick<Journal, 'running' | 'previous' | 'earlier' | 'rebootRequired'> {
  /** Entered after the reboot. */
  readonly phase: Extract<Phase, { at: 'confirm' }>;
}

/** When a drift was found that was to be put right, at one head: shared/cycle/corrections.ts says what follows. */
export interface Corrections {
  readonly head: ObjectId;
  /** Milliseconds since the epoch, oldest first; the last few. */
  readonly at: readonly number[];
}

/** What `fleet.yaml` says of the pace, in milliseconds; a heartbeat of `null` means never. */
export interface Pace {
  readonly interval: number;
  readonly heartbeat: number | null;
  readonly fetch: number;
  /** Whether a switch by hand is put right (`drift: correct`). */
  readonly corrects?: true;
  /** Whether headers of LUKS volumes are kept (`backups: { luksHeaders: true }`). */
  readonly luksHeaders?: true;
  /** Generations to keep; absent in journals of agents that did not note it. */
  readonly keep?: number;
}

/** `journal.json`, format 1: the agent's own memory, outside the Git directory (S2). */
export interface Journal {
  readonly format: 1;
  readonly fleet: string;
  readonly host: string;
  readonly installation: string;
  readonly genesis: ObjectId;
  /** True once an authentic revision has pinned this genesis. */
  readonly approved: boolean;
  /** The key under which a revision pinned this machine last; `null` when none did, or before this was kept. */
  readonly key: string | null;
  /** The revision that was first seen to pin another machine in this one's place; `null` while none does. */
  readonly replaced: ObjectId | null;
  /** The newest record of the machine before, which this one's first record names; `null` when there was none. */
  readonly replaces: ObjectId | null;
  /** True when another machine or key had this name before: the first record has to name its newest one (P6). */
  readonly follows: boolean;
  readonly successor: Successor | null;
  /** The newest revision found authentic; only moves forward (P1). */
  readonly accepted: ObjectId | null;
  /** The introduction, and the floor if any, under which it was accepted. */
  readonly acceptedUnder: string;
  /** Accepted revisions that only the own state branch knew; the next accepted one descends from them all (S2). */
  readonly floors: readonly ObjectId[];
  /** Sequence number and id of the newest record, delivered or not. */
  readonly seq: number;
  readonly tip: ObjectId;
  /** The newest own record that the server was last seen to have; `null` when it had none. */
  readonly delivered: ObjectId | null;
  /** Milliseconds since the epoch of the newest record. */
  readonly recordedAt: number;
  /** What was noticed about the own state branch and no record has said yet (S9). */
  readonly reports: readonly string[];
  readonly diverged: Divergence | null;
  /** Milliseconds since the epoch at which this host last went on from records that it did not know. */
  readonly restoredAt: number | null;
  readonly running: Running | null;
  /** The highest number that a generation was ever given: numbers only rise. */
  readonly newest: number;
  readonly previous: number | null;
  /** What ran before the previous one, oldest first: where a person who goes back more than once gets to. */
  readonly earlier: readonly number[];
  readonly lastGood: number | null;
  /** The boot id under which an activation asked for a reboot. */
  readonly rebootRequired: string | null;
  /** The generation that waits for that reboot and is not known to be good; `null` when there is none. */
  readonly unproved: Unproved | null;
  /** The host's pace as last read from `fleet.yaml`, so that an idle cycle need not read it again. */
  readonly pace: Pace;
  /** The fleet's readers as last read from `fleet.yaml`, without comments; `null` before that. */
  readonly readers: readonly string[] | null;
  readonly disks: DisksSeen | null;
  /** A record whose ledger may know more than the one here, which went into records since; `null` when there is none. */
  readonly unsettled: ObjectId | null;
  readonly standing: Standing | null;
  /** The same of the revision on `testing/<host>`; `null` when there is none, or it is over. */
  readonly trial: Standing | null;
  /** The system that failed last at a head: not activated again until another one proves good, or `resume`. */
  readonly failed: FailedSystem | null;
  /** The same of a revision on `testing/<host>`, and about no other revision. */
  readonly failedTrial: FailedSystem | null;
  /** True from the record of a hold by hand to the one that says `resumed`. */
  readonly heldByHand: boolean;
  /** The newest revision on `testing/<host>` that did not descend from the head: it never will again. */
  readonly overtaken: ObjectId | null;
  /** `null` while the links lead where the agent left them, as far as it was looked. */
  readonly drift: Drift | null;
  readonly corrections: Corrections | null;
  readonly phase: Phase;
}
