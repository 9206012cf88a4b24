import { healthKinds } from '../health/check.ts';
import type { Problem } from './findings.ts';
import { quote } from './found.ts';
import { nearest } from './name.ts';
import { keyOf } from '../secrets/sealed.ts';
import { below, itemsBelow, mapBelow, textOf, type MapTree, type Tree } from './tree.ts';

/**
 * What must hold between keys, and no schema says: names that are used are declared, keys and step names are
 * there once, an approval is for one host, a health check looks at one thing. Reads what is well-formed and passes over the rest, so that
 * one slip hides no other.
 */
export function relationProblems(file: MapTree): readonly Problem[] {
  const groups = names(mapBelow(file, 'groups'));
  const hosts = mapBelow(file, 'hosts');
  return [
    ...namedMaps(hosts).flatMap(([name, host]) => undeclared(host, `hosts.${name}`, 'groups', groups)),
    ...repeatedKeys(hosts),
    ...namedMaps(mapBelow(file, 'secrets')).flatMap(([name, secret]) => [
      ...undeclared(secret, `secrets.${name}`, 'groups', groups),
      ...undeclared(secret, `secrets.${name}`, 'hosts', names(hosts)),
    ]),
    ...layers(file).flatMap(([key, layer]) => [
      ...repeatedSteps(layer, key),
      ...(key.startsWith('hosts.') ? [] : sharedApprovals(layer, key)),
      ...healthProblems(layer, key),
    ]),
  ];
}

/** `defaults`, every group and every host, with their dotted keys. */
export function layers(file: MapTree): readonly (readonly [string, MapTree])[] {
  const defaults = mapBelow(file, 'defaults');
  return [
    ...(defaults === undefined ? [] : [['defaults', defaults] as const]),
    ...namedMaps(mapBelow(file, 'groups')).map(([name, layer]) => [`groups.${name}`, layer] as const),
    ...namedMaps(mapBelow(file, 'hosts')).map(([name, layer]) => [`hosts.${name}`, layer] as const),
  ];
}

function names(map: MapTree | undefined): readonly string[] {
  return [...(map?.entries.keys() ?? [])];
}

function namedMaps(map: MapTree | undefined): readonly (readonly [string, MapTree])[] {
  return [...(map?.entries ?? [])].flatMap(([name, { value }]) =>
    value.kind === 'map' ? [[quote(name), value] as const] : [],
  );
}

function undeclared(
  owner: MapTree,
  key: string,
  kind: 'groups' | 'hosts',
  known: readonly string[],
): readonly Problem[] {
  const isKnown = new Set(known);
  return itemsBelow(owner, kind).flatMap((item, index) => {
    const name = textOf(item);
    if (name === undefined || isKnown.has(name)) return [];
    const near = nearest(name, known);
    const word = kind === 'groups' ? 'group' : 'host';
    const path = `${key}.${kind}[${index}]`;
    const cause = `${path} names the ${word} ${quote(name)}, which is not declared`;
    const declare = `declare it below \`${kind}:\``;
    const remedy = near === undefined ? declare : `did you mean ${near}? Otherwise ${declare}`;
    return [{ start: item.start, key: path, cause, remedy }];
  });
}

/** A key is a host: two hosts with one key could speak for each other (P7). */
function repeatedKeys(hosts: MapTree | undefined): readonly Problem[] {
  const owners = new Map<string, string>();
  return namedMaps(hosts).flatMap(([name, host]) => {
    const tree = below(host, 'key');
    const key = textOf(tree);
    if (tree === undefined || key === undefined) return [];
    const owner = owners.get(keyOf(key));
    owners.set(keyOf(key), owner ?? name);
    if (owner === undefined) return [];
    const cause = `hosts.${name}.key is the key of hosts.${owner} too`;
    return [{ start: tree.start, key: `hosts.${name}.key`, cause, remedy: 'give each host its own key' }];
  });
}

function repeatedSteps(layer: MapTree, key: string): readonly Problem[] {
  const seen = new Set<string>();
  return itemsBelow(layer, 'steps').flatMap((step, index) => {
    const tree = below(step, 'name');
    const name = textOf(tree);
    if (tree === undefined || name === undefined) return [];
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    const path = `${key}.steps[${index}].name`;
    const cause = `${path} is the name of an earlier step too: ${quote(name)}`;
    return [{ start: tree.start, key: path, cause, remedy: 'give each step of a host its own name' }];
  });
}

/** An approval fits one machine; below anything that several share it would say what nobody approved (S16). */
function sharedApprovals(layer: MapTree, key: string): readonly Problem[] {
  return itemsBelow(layer, 'steps').flatMap((step, index) => {
    if (below(step, 'approved') === undefined) return [];
    const path = `${key}.steps[${index}].approved`;
    const cause = `${path} approves a step of several hosts, and an approval is for one machine`;
    const remedy = 'take it out, declare the step below hosts.HOST.steps, and run autark step approve';
    return [{ start: placeOf(step, 'approved'), key: path, cause, remedy }];
  });
}

function healthProblems(layer: MapTree, key: string): readonly Problem[] {
  return itemsBelow(layer, 'health').flatMap((check, index) => {
    const chosen = healthKinds.filter((kind) => below(check, kind) !== undefined);
    if (check.kind !== 'map' || chosen.length === 1) return [];
    const path = `${key}.health[${index}]`;
    const what = chosen.length === 0 ? 'looks at nothing' : `looks at ${chosen.join(' and ')} at once`;
    const remedy = `give each check one of ${healthKinds.join(', ')}`;
    return [{ start: placeOf(check, chosen[1]), key: path, cause: `${path} ${what}`, remedy }];
  });
}

function placeOf(map: Tree, key: string | undefined): number {
  const entry = map.kind === 'map' && key !== undefined ? map.entries.get(key) : undefined;
  return entry?.keyStart ?? map.start;
}
