import { fail, ok, type Failure, type Result } from '../failure.ts';
import { refusal, type Approval } from './approval.ts';
import { editEntry, replaceEntry, type Changes } from './entry.ts';
import { failureOf, placed } from './findings.ts';
import type { Pause } from './fleet.ts';
import { readYaml } from './read-yaml.ts';
import { keyOf } from '../secrets/sealed.ts';
import type { Content } from './splice.ts';
import { below, mapBelow, saysTheSame, textOf, treeOf, type MapTree } from './tree.ts';

export { newFleetYaml } from './new-fleet.ts';

/**
 * Writes an approved machine into the text of `fleet.yaml`, or completes the entry that somebody wrote by hand.
 * What is there stays, byte for byte, but a system or groups that the approval gives anew. Refused when the
 * entry has another key or genesis and the machine is not to replace that one, or is retired, or when a group is not
 * declared.
 */
export function approveHost(text: string, approval: Approval): Result<string> {
  const read = entryIn(text, approval.host);
  if (!read.ok) return read;
  const { file, entry } = read.value;
  const refused = refusal(file, approval);
  if (refused !== undefined) return fail(refused);
  const changes = changesFor(entry, approval);
  const isNothing = Object.keys({ ...changes.added, ...changes.replaced }).length === 0;
  return isNothing ? ok(text) : editEntry(text, approval.host, changes);
}

/** Writes a pause into a host's entry, in the place of one that is there. */
export function pauseHost(text: string, host: string, { reason, until }: Pause): Result<string> {
  const read = entryIn(text, host);
  if (!read.ok) return read;
  const paused = { reason, ...(until === undefined ? {} : { until: new Date(until).toISOString() }) };
  const isThere = below(read.value.entry, 'paused') !== undefined;
  return editEntry(text, host, isThere ? { replaced: { paused } } : { added: { paused } });
}

/** Takes the pause out of a host's own entry; refused when it is in none, or comes from a group or `defaults`. */
export function unpauseHost(text: string, host: string): Result<string> {
  const read = entryIn(text, host);
  if (!read.ok) return read;
  if (below(read.value.entry, 'paused') === undefined) return fail(notPaused(host));
  return editEntry(text, host, { removed: ['paused'] });
}

/**
 * Leaves a tombstone in the place of a host's entry: key and genesis stay, so that its records can be checked, and no
 * other machine takes the name unseen.
 */
export function retireHost(text: string, host: string): Result<string> {
  const read = entryIn(text, host);
  if (!read.ok) return read;
  const { entry } = read.value;
  const [key, genesis] = ['key', 'genesis'].map((name) => textOf(below(entry, name)));
  return replaceEntry(text, host, {
    retired: true,
    ...(key === undefined ? {} : { key: keyOf(key) }),
    ...(genesis === undefined ? {} : { genesis }),
  });
}

interface Read {
  readonly file: MapTree;
  /** Absent when there is none, or it is empty. */
  readonly entry: MapTree | undefined;
}

function entryIn(text: string, host: string): Result<Read> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  return ok({ file: reading.tree, entry: mapBelow(mapBelow(reading.tree, 'hosts'), host) });
}

function changesFor(entry: MapTree | undefined, approval: Approval): Changes {
  const { key, genesis, groups, system, done, replaces = false } = approval;
  const wanted = Object.entries({
    key: keyOf(key),
    genesis,
    groups,
    done,
    system: system && withoutDefaults(system),
  });
  const added: Record<string, unknown> = {};
  const replaced: Record<string, unknown> = {};
  for (const [name, value] of wanted) {
    const there = below(entry, name);
    if (value === undefined || (there !== undefined && saysTheSame(there, treeOf(value)))) continue;
    const text = textOf(there);
    // The key that is there is the same one, if with a comment: another one was refused.
    if (name === 'key' && text !== undefined && (!replaces || keyOf(text) === value)) continue;
    if (there === undefined) added[name] = value;
    else replaced[name] = value;
  }
  return { added, replaced };
}

function withoutDefaults(system: NonNullable<Approval['system']>): Content {
  if (system.kind === 'exec') return system;
  const { kind, attr, dir = '.' } = system;
  return { kind, ...(attr === undefined ? {} : { attr }), ...(dir === '.' ? {} : { dir }) };
}

function notPaused(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the entry of ${host} has no pause of its own`,
    where: `fleet.yaml, hosts.${host}`,
    remedy: 'if a group or `defaults` pauses it, take `paused` out there by hand',
  };
}
