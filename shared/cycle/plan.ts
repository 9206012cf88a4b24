import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Fleet, Host, SystemSource } from '../fleet/fleet.ts';
import type { ObjectId } from '../objects/object.ts';
import { pinnedIn } from '../record/pinned.ts';
import type { Pinned } from '../record/tip.ts';
import { planOf, type HeldByHand } from './hold.ts';
import type { Journal, Successor } from './journal.ts';

/** Who this machine is: the name and genesis it enrolled with and the key it holds. */
export interface Self {
  readonly host: string;
  /** `TYPE BASE64`. */
  readonly key: string;
  readonly genesis: ObjectId;
  readonly fleet: string;
}

/** What this machine remembers of who it was pinned as. */
export interface Past {
  readonly wasPinned: boolean;
  /** The key that was pinned; `null` when that was not kept. */
  readonly key: string | null;
  readonly successor: Successor | null;
  /** The revision that replaced it. */
  readonly replacedBy: ObjectId;
}

/** What is to be done about an authentic, valid revision. */
export type Plan =
  | { readonly do: 'deploy'; readonly host: Host; readonly source: SystemSource }
  | {
      readonly do: 'hold';
      readonly event: 'held' | 'paused';
      readonly failure: Failure;
      /** Milliseconds since the epoch at which the hold ends by itself. */
      readonly until?: number;
      /** True when a person said so on the machine itself. */
      readonly isByHand?: boolean;
    }
  | { readonly do: 'retire'; readonly failure: Failure }
  /** Another machine is this host now. */
  | { readonly do: 'end'; readonly failure: Failure }
  /** This machine is pinned with its new key. */
  | { readonly do: 'succeed'; readonly successor: Successor };

/** What a plan rests on besides the revision and the time. */
export interface Known {
  /** What a person said on the machine itself; `null` for nothing. */
  readonly byHand?: HeldByHand | null;
  /** Absent for what is only tried, which replaces nobody. */
  readonly past?: Past;
}

/**
 * Decides what this machine does about a revision's `fleet.yaml`. An agent acts only as the host whose key it
 * holds, and only once approved; a host that the file does not name is held, and nothing of it is removed (P4). What a
 * person said on the machine outweighs a pause.
 * @param now milliseconds since the epoch
 */
export function plan(fleet: Fleet, self: Self, now: number, { byHand = null, past }: Known = {}): Plan {
  const host = fleet.hosts.get(self.host);
  const stranger = identityProblem(fleet, host, self);
  if (stranger !== undefined)
    return (past === undefined ? undefined : ofOld(fleet, self, past)) ?? hold(stranger);
  if (host === undefined) return hold(absent(self));
  if (host.retired) return { do: 'retire', failure: retired(self.host) };
  if (host.key === undefined) return hold(unapproved(self));
  if (byHand !== null) return planOf(byHand);
  const { paused, system } = host;
  if (paused !== undefined && (paused.until === undefined || now < paused.until)) {
    const until = paused.until === undefined ? {} : { until: paused.until };
    return { do: 'hold', event: 'paused', failure: pausedFor(self.host, paused.reason), ...until };
  }
  if (system === undefined) return hold(withoutSystem(self.host));
  return { do: 'deploy', host, source: system };
}

/** A machine that was this host: it is so with its new key, or another one is. Its fleet outweighs both (22). */
function ofOld(fleet: Fleet, self: Self, past: Past): Plan | undefined {
  const host = fleet.hosts.get(self.host);
  const { successor, wasPinned: wasHost, replacedBy } = past;
  if (fleet.fleet !== self.fleet || host === undefined) return undefined;
  const isNext = successor !== null && host.key === successor.key && host.genesis === successor.genesis;
  if (isNext) return { do: 'succeed', successor };
  const isReplaced = wasHost && !isStillPinned(host, self, past);
  return isReplaced ? { do: 'end', failure: replaced(self, replacedBy) } : undefined;
}

/** Whether the file pins what it did: then it is this machine that came to hold another key. */
function isStillPinned(host: Host, { genesis }: Self, { key }: Past): boolean {
  if ((host.genesis ?? genesis) !== genesis) return false;
  return key === null ? host.genesis !== undefined : host.key === key;
}

/** Whether a revision pinned this machine before; of a journal from before the key was kept, by what it recorded. */
export function wasPinned({ key, approved, seq }: Pick<Journal, 'key' | 'approved' | 'seq'>): boolean {
  return key !== null || approved || seq > 0;
}

/**
 * What a revision pins for the machine that holds a key and does not know its genesis any more. Fails as `plan` would
 * (22, 10) when it is no host of this fleet.
 */
export function pinnedFor(fleet: Fleet, { host: name, key }: Pick<Self, 'host' | 'key'>): Result<Pinned> {
  const host = fleet.hosts.get(name);
  const self: Self = { host: name, key, fleet: fleet.fleet, genesis: host?.genesis ?? '' };
  const problem = identityProblem(fleet, host, self);
  if (problem !== undefined) return fail(problem);
  if (host === undefined) return fail(absent(self));
  const pinned = pinnedIn(fleet, name);
  return pinned === null ? fail(unapproved(self)) : ok(pinned);
}

/** Whether this revision pins this very machine: only then may it write `state/<host>`. */
export function isApproved(fleet: Fleet, self: Self): boolean {
  const host = fleet.hosts.get(self.host);
  return host?.key === self.key && (host.genesis ?? self.genesis) === self.genesis;
}

/** Whether a revision pins another machine under this one's name. */
export function pinsAnother(
  { hosts }: Fleet,
  { host: name, key, genesis }: Pick<Self, 'host' | 'key' | 'genesis'>,
): boolean {
  const host = hosts.get(name);
  return host?.key !== undefined && (host.key !== key || (host.genesis ?? genesis) !== genesis);
}

/**
 * Whether this machine's records may go to `state/<host>`: it is pinned, or it was and the file no longer names
 * the host. Once somebody else is pinned, it is silent (P7).
 */
export function mayRecord(fleet: Fleet, self: Self, approvedBefore: boolean): boolean {
  return isApproved(fleet, self) || (approvedBefore && !fleet.hosts.has(self.host));
}

/** Exit code 22 is checked before 10: another machine's name outweighs everything else. */
function identityProblem(fleet: Fleet, host: Host | undefined, self: Self): Failure | undefined {
  if (fleet.fleet !== self.fleet) {
    return {
      kind: 'not-this-host',
      cause: `fleet.yaml is of fleet ${fleet.fleet}, and this machine enrolled in ${self.fleet}`,
      where: 'fleet.yaml, fleet',
      remedy: 'undo the change of `fleet`; a machine changes fleets only by enrolling anew',
    };
  }
  if (host?.key !== undefined && host.key !== self.key) {
    return {
      kind: 'not-this-host',
      cause: `fleet.yaml pins another key for ${self.host} than the one this machine holds`,
      where: `fleet.yaml, hosts.${self.host}.key`,
      remedy:
        `enrol this machine under its own name, or put the key of ${self.host} back in its place; ` +
        `if it takes the place of ${self.host}, run \`autark approve ${self.host} --replace\` in a clone and push`,
    };
  }
  if (host?.genesis !== undefined && host.genesis !== self.genesis) {
    return {
      kind: 'held',
      cause: `fleet.yaml pins the genesis ${host.genesis}, and this installation began with ${self.genesis}`,
      where: `fleet.yaml, hosts.${self.host}.genesis`,
      remedy:
        `if this machine was installed anew, have an admin approve it anew: ` +
        `\`autark approve ${self.host} --replace\` in a clone, and push`,
    };
  }
  return undefined;
}

function hold(failure: Failure): Plan {
  return { do: 'hold', event: 'held', failure };
}

function absent(self: Self): Failure {
  return {
    kind: 'held',
    cause: `fleet.yaml does not name ${self.host}`,
    where: `fleet.yaml, hosts`,
    remedy: `run \`autark approve ${self.host}\` in a clone and push; nothing is removed from this machine`,
  };
}

function unapproved(self: Self): Failure {
  return {
    kind: 'held',
    cause: `${self.host} is in fleet.yaml but not approved`,
    where: `fleet.yaml, hosts.${self.host}`,
    remedy: `run \`autark approve ${self.host}\` in a clone and push`,
  };
}

function withoutSystem(host: string): Failure {
  return {
    kind: 'held',
    cause: `fleet.yaml says no system for ${host}`,
    where: `fleet.yaml, hosts.${host}`,
    remedy: `add \`system\` to the host, to a group of it, or to \`defaults\``,
  };
}

function pausedFor(host: string, reason: string): Failure {
  return {
    kind: 'held',
    cause: `${host} is paused: ${reason}`,
    where: `fleet.yaml, hosts.${host}.paused`,
    remedy: 'remove `paused` to go on',
  };
}

function retired(host: string): Failure {
  return {
    kind: 'ended',
    cause: `${host} is retired`,
    where: `fleet.yaml, hosts.${host}.retired`,
    remedy: 'nothing is left to do; enrol the machine anew to use it again',
  };
}

function replaced({ host }: Self, by: ObjectId): Failure {
  return {
    kind: 'ended',
    cause: `revision ${by} made another machine ${host}, in place of this one`,
    where: `fleet.yaml, hosts.${host}`,
    remedy:
      'nothing is left to do here, and this machine may be switched off; if that was a mistake, ' +
      `\`git revert ${by.slice(0, 7)}\`, push, and start the agent again`,
  };
}
