import * as v from 'valibot';
import { healthKinds, type Check } from '../health/check.ts';
import type { Problem } from './findings.ts';
import type { Host, Step, SystemSource } from './fleet.ts';
import { keyOf } from '../secrets/sealed.ts';
import { host as hostSchema, type HostEntry } from './schema.ts';
import { below, itemsBelow, mapBelow, textOf, type Entry, type MapTree, type Tree } from './tree.ts';
import { validate } from './validate.ts';

type HealthEntry = NonNullable<HostEntry['health']>[number];

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** What holds where the file says nothing. Milliseconds. */
const product = {
  activate: 'switch',
  drift: 'report',
  interval: 60 * second,
  heartbeat: 24 * hour,
  timeouts: { fetch: 5 * minute, build: 2 * hour, switch: 15 * minute },
  keep: 5,
  stepTimeout: hour,
  dir: '.',
  health: { timeout: 5 * second, retries: 3, soak: 0 },
} as const;

/** The keys of `system` that only one kind has. */
const keysOf = { nixos: ['attr', 'dir'], exec: ['build', 'inputs'] } as const;

/**
 * A host's entry with what lies below it: the defaults, its groups in their order, its own values. The higher
 * value wins, maps merge key by key, lists are replaced. Every part keeps its place in the file.
 */
export function mergeHost(file: MapTree, name: string): MapTree {
  const own = below(mapBelow(file, 'hosts'), name);
  const groups = itemsBelow(own, 'groups').flatMap((group) => {
    const layer = mapBelow(mapBelow(file, 'groups'), textOf(group) ?? '');
    return layer === undefined ? [] : [layer];
  });
  const layers = [mapBelow(file, 'defaults'), ...groups, own?.kind === 'map' ? own : undefined];
  const nothing: MapTree = { kind: 'map', start: own?.start ?? 0, entries: new Map() };
  return layers.reduce<MapTree>(
    (merged, layer) => (layer === undefined ? merged : mergeMaps(merged, layer)),
    nothing,
  );
}

function mergeMaps(lower: MapTree, higher: MapTree): MapTree {
  const entries = new Map<string, Entry>(lower.entries);
  for (const [key, entry] of higher.entries) {
    entries.set(key, {
      keyStart: entry.keyStart,
      value: mergeValues(lower.entries.get(key)?.value, entry.value, key),
    });
  }
  return { kind: 'map', start: higher.start, entries };
}

function mergeValues(lower: Tree | undefined, higher: Tree, key: string): Tree {
  if (lower?.kind !== 'map' || higher.kind !== 'map') return higher;
  if (key === 'system' && !kindsAgree(lower, higher)) return higher;
  return mergeMaps(lower, higher);
}

/** A `system` without a kind goes with any. */
function kindsAgree(lower: MapTree, higher: MapTree): boolean {
  const [left, right] = [textOf(below(lower, 'kind')), textOf(below(higher, 'kind'))];
  return left === undefined || right === undefined || left === right;
}

/** Keys of one kind in a `system` of the other. */
export function foreignKeys(layer: MapTree, key: string): readonly Problem[] {
  const system = mapBelow(layer, 'system');
  const kind = textOf(below(system, 'kind'));
  if (system === undefined || (kind !== 'nixos' && kind !== 'exec')) return [];
  const other = kind === 'nixos' ? 'exec' : 'nixos';
  return keysOf[other].flatMap((name) => {
    const entry = system.entries.get(name);
    if (entry === undefined) return [];
    const cause = `${key}.system.${name} belongs to kind ${other}, and this system’s kind is ${kind}`;
    const remedy = `remove it; kind ${kind} has ${keysOf[kind].join(' and ')}`;
    return [{ start: entry.keyStart, key: `${key}.system.${name}`, cause, remedy }];
  });
}

/** What a merged host's `system` lacks; a host without any has nothing to deploy, which is no error. */
export function systemProblems(merged: MapTree, key: string): readonly Problem[] {
  const entry = merged.entries.get('system');
  const system = entry?.value;
  if (entry === undefined || system?.kind !== 'map') return [];
  const kind = below(system, 'kind');
  const lacks = (name: string, remedy: string): Problem => {
    const path = `${key}.system.${name}`;
    return { start: entry.keyStart, key: path, cause: `${path} is missing`, remedy };
  };
  if (kind === undefined) return [lacks('kind', 'write `kind: nixos`, or `kind: exec` with a build program')];
  const hasBuild = textOf(kind) !== 'exec' || system.entries.has('build');
  const missing = hasBuild
    ? []
    : [lacks('build', 'name the program that builds the system, such as `build: hosts/pi/build`')];
  return [...missing, ...foreignKeys(merged, key)];
}

/** The host that a merged entry describes. The entry must have passed every check. */
export function toHost(name: string, merged: MapTree): Host {
  const entry = v.parse(hostSchema, validate(hostSchema, merged).value);
  const { key, genesis, system, paused, agent } = entry;
  const source = system === undefined || entry.retired === true ? undefined : toSource(name, system);
  return {
    name,
    ...(key === undefined ? {} : { key: keyOf(key) }),
    ...(genesis === undefined ? {} : { genesis }),
    retired: entry.retired ?? false,
    groups: [...new Set(entry.groups)],
    ...(source === undefined ? {} : { system: source }),
    activate: entry.activate ?? product.activate,
    health: (entry.health ?? []).flatMap(toCheck),
    drift: entry.drift ?? product.drift,
    interval: entry.interval ?? product.interval,
    heartbeat: entry.heartbeat === undefined ? product.heartbeat : entry.heartbeat,
    timeouts: { ...product.timeouts, ...entry.timeouts },
    keep: entry.keep ?? product.keep,
    luksHeaders: entry.backups?.luksHeaders ?? false,
    steps: (entry.steps ?? []).map(toStep),
    done: [...new Set(entry.done)],
    ...(paused === undefined ? {} : { paused }),
    ...(agent === undefined ? {} : { agentFile: agent.file }),
  };
}

function toStep(entry: NonNullable<HostEntry['steps']>[number]): Step {
  const { files = [], destroys = [], credentials = [], timeout = product.stepTimeout } = entry;
  const { name, run, approved } = entry;
  return {
    ...{ name, run, files, destroys, credentials, timeout },
    ...(approved === undefined ? {} : { approved }),
  };
}

function toCheck({ timeout, retries, soak, ...looksAt }: HealthEntry): readonly Check[] {
  const { health } = product;
  const waits = {
    timeout: timeout ?? health.timeout,
    retries: retries ?? health.retries,
    soak: soak ?? health.soak,
  };
  return healthKinds.flatMap((kind) => {
    const target = looksAt[kind];
    return target === undefined ? [] : [{ kind, target, ...waits }];
  });
}

function toSource(name: string, system: NonNullable<HostEntry['system']>): SystemSource | undefined {
  const { kind, attr = name, dir = product.dir, build, inputs } = system;
  if (kind === 'nixos') return { kind, attr, dir };
  if (kind !== 'exec' || build === undefined) return undefined;
  return { kind, build, ...(inputs === undefined ? {} : { inputs }) };
}
