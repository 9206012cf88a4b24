import * as v from 'valibot';
import type { Failure } from '../failure.ts';
import { quote } from './found.ts';
import { isName } from './name.ts';
import { keyOf } from '../secrets/sealed.ts';
import { below, isEmpty, mapBelow, textOf, type MapTree, type Tree } from './tree.ts';
import { commitId, hostKey } from './values.ts';

/** What `autark approve` and `autark invite --key` write of a machine. */
export interface Approval {
  readonly host: string;
  /** `ssh-ed25519 BASE64`, with or without a comment. */
  readonly key: string;
  /** Absent for a machine that is not born yet: then the first genesis that the key signs counts. */
  readonly genesis?: string;
  /** True when the machine takes the place of the one that the entry pins. */
  readonly replaces?: boolean;
  /** Absent: the entry keeps what it has. */
  readonly system?:
    | { readonly kind: 'nixos'; readonly attr?: string; readonly dir?: string }
    | { readonly kind: 'exec'; readonly build: string; readonly inputs?: readonly string[] };
  readonly groups?: readonly string[];
  /** Steps that the machine before has done: in the place of what the entry has. */
  readonly done?: readonly string[];
}

/** Why a machine must not be written into this file; `undefined` when it may. */
export function refusal(file: MapTree, approval: Approval): Failure | undefined {
  const hosts = mapBelow(file, 'hosts');
  const { host } = approval;
  return (
    malformed(approval) ??
    noPlace(file, host) ??
    otherMachine(mapBelow(hosts, host), approval) ??
    sharedKey(hosts, approval) ??
    noGroup(file, approval)
  );
}

function malformed({ host, key, genesis }: Approval): Failure | undefined {
  if (!isName(host)) {
    const remedy = 'use at most 63 lower-case letters, digits and -, with - neither first nor last';
    return { kind: 'usage', cause: `“${quote(host)}” cannot be the name of a host`, remedy };
  }
  if (!v.is(hostKey, key)) {
    const remedy = 'enrol the machine with an ssh-ed25519 key';
    return { kind: 'usage', cause: `the key of ${host} is no SSH Ed25519 public key`, remedy };
  }
  if (genesis === undefined || v.is(commitId, genesis)) return undefined;
  const remedy = 'name the commit by all 40 digits';
  return { kind: 'usage', cause: `the genesis of ${host} is no whole commit id`, remedy };
}

/** What stands where the entry belongs may be left empty, but must not be anything else than a map. */
function noPlace(file: MapTree, host: string): Failure | undefined {
  const section = below(file, 'hosts');
  const entry = below(section, host);
  const isFree = (tree: Tree | undefined) => tree === undefined || tree.kind === 'map' || isEmpty(tree);
  if (isFree(section) && isFree(entry)) return undefined;
  const key = isFree(section) ? `hosts.${host}` : 'hosts';
  const remedy = 'mend the file first';
  return { kind: 'invalid', cause: `${key} must be a map`, where: `fleet.yaml, ${key}`, remedy };
}

function otherMachine(
  entry: MapTree | undefined,
  { host, key, genesis, replaces = false }: Approval,
): Failure | undefined {
  const retired = below(entry, 'retired');
  if (retired?.kind === 'scalar' && retired.value === true) {
    return refused(host, 'retired', `${host} is retired`, 'enrol the machine under another name');
  }
  if (replaces) return undefined;
  const pinned = textOf(below(entry, 'key'));
  if (pinned !== undefined && keyOf(pinned) !== keyOf(key)) {
    const remedy = 'approve the machine that holds that key, or this one in its place with --replace';
    return refused(host, 'key', `the entry of ${host} pins another key than this machine’s`, remedy);
  }
  const begun = textOf(below(entry, 'genesis'));
  if (begun === undefined || genesis === undefined || begun === genesis) return undefined;
  const remedy = 'approve the machine that it belongs to, or this one in its place with --replace';
  return refused(host, 'genesis', `the entry of ${host} pins another genesis than this machine’s`, remedy);
}

/** Each key appears once in a fleet. */
function sharedKey(hosts: MapTree | undefined, { host, key }: Approval): Failure | undefined {
  for (const [name, { value }] of hosts?.entries ?? []) {
    const pinned = textOf(below(value, 'key'));
    if (name === host || pinned === undefined || keyOf(pinned) !== keyOf(key)) continue;
    return refused(
      name,
      'key',
      `this machine’s key is ${quote(name)}’s`,
      'give the machine a key of its own and enrol it again',
    );
  }
  return undefined;
}

function noGroup(file: MapTree, { groups = [] }: Approval): Failure | undefined {
  const declared = mapBelow(file, 'groups')?.entries;
  const group = groups.find((each) => declared?.has(each) !== true);
  if (group === undefined) return undefined;
  return {
    kind: 'unexpected',
    cause: `there is no group ${quote(group)}`,
    where: 'fleet.yaml, groups',
    remedy: 'declare it there first',
  };
}

function refused(host: string, key: string, cause: string, remedy: string): Failure {
  return { kind: 'unexpected', cause, where: `fleet.yaml, hosts.${host}.${key}`, remedy };
}
