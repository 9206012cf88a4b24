import { isMap, isScalar, type Document, type Pair } from 'yaml';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { failureOf, placed } from './findings.ts';
import { refusal, type Approval } from './approval.ts';
import { readYaml } from './read-yaml.ts';
import { withoutComment } from './relations.ts';
import {
  appendTo,
  blockLines,
  fill,
  replaceValue,
  spliced,
  stepBelow,
  type Content,
  type Pairs,
  type Splice,
} from './splice.ts';
import { below, mapBelow, saysTheSame, textOf, treeOf, withEntry, type MapTree } from './tree.ts';

export { newFleetYaml } from './new-fleet.ts';

/** Keys to write into a host's entry: those that are not there, and those that say something else. */
interface Changes {
  readonly added: Content;
  readonly replaced: Content;
}

/**
 * Writes an approved machine into the text of `fleet.yaml`, or completes the entry that somebody wrote by hand.
 * What is there stays, byte for byte, but a system or groups that the approval gives anew. Refused when the
 * entry has another key or genesis, or is retired, or when a group is not declared. Never writes a text that
 * says anything else than the old one and this host: what cannot be edited so is left to a person.
 */
export function approveHost(text: string, approval: Approval): Result<string> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureOf(placed(reading.problems, text, 'fleet.yaml')));
  const refused = refusal(reading.tree, approval);
  if (refused !== undefined) return fail(refused);
  const entry = mapBelow(mapBelow(reading.tree, 'hosts'), approval.host);
  const changes = changesFor(entry, approval);
  if (Object.keys({ ...changes.added, ...changes.replaced }).length === 0) return ok(text);
  const edited = spliced(text, edits(text, reading.document, approval.host, changes));
  const again = readYaml(edited);
  const isRight = again.ok && saysTheSame(again.tree, expected(reading.tree, approval.host, changes));
  return isRight ? ok(edited) : fail(byHand(approval.host, changes));
}

function changesFor(entry: MapTree | undefined, { key, genesis, groups, system }: Approval): Changes {
  const wanted = Object.entries({
    key: withoutComment(key),
    genesis,
    groups,
    system: system && withoutDefaults(system),
  });
  const added: Record<string, unknown> = {};
  const replaced: Record<string, unknown> = {};
  for (const [name, value] of wanted) {
    const there = below(entry, name);
    if (value === undefined || (there !== undefined && saysTheSame(there, treeOf(value)))) continue;
    // The key that is there is the same one, if with a comment: another one was refused.
    if (name === 'key' && textOf(there) !== undefined) continue;
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

function edits(
  text: string,
  document: Document.Parsed,
  host: string,
  { added, replaced }: Changes,
): readonly Splice[] {
  const root = document.contents;
  if (!isMap(root)) return [];
  const section = pairOf(root, 'hosts');
  const step = stepBelow(text, root) ?? 2;
  if (section === undefined) return appendTo(text, root, { hosts: { [host]: added } }, step, 2);
  const hosts = section.value;
  const inFlow = root.flow === true;
  if (!isMap(hosts) || hosts.items.length === 0)
    return fill(text, section, { [host]: added }, step, { levels: 1, inFlow });
  const inner = stepBelow(text, hosts) ?? step;
  const own = pairOf(hosts, host);
  if (own === undefined) return appendTo(text, hosts, { [host]: added }, inner, 1);
  const entry = own.value;
  if (!isMap(entry) || entry.items.length === 0)
    return fill(text, own, added, inner, { levels: 0, inFlow: hosts.flow === true });
  return [...replacements(text, entry, replaced), ...additions(text, entry, added, inner)];
}

function replacements(text: string, entry: Pairs, replaced: Content): readonly Splice[] {
  return Object.entries(replaced).flatMap(([name, value]) => {
    const pair = pairOf(entry, name);
    return pair === undefined ? [] : [replaceValue(text, pair, value)];
  });
}

function additions(text: string, entry: Pairs, added: Content, step: number): readonly Splice[] {
  return Object.keys(added).length === 0 ? [] : appendTo(text, entry, added, step, 0);
}

function pairOf(map: Pairs, name: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

/** What the edited text must say. */
function expected(file: MapTree, host: string, { added, replaced }: Changes): MapTree {
  const hosts = mapBelow(file, 'hosts') ?? emptyMap;
  const before = mapBelow(hosts, host) ?? emptyMap;
  const entry = Object.entries({ ...replaced, ...added }).reduce(
    (map, [name, value]) => withEntry(map, name, treeOf(value)),
    before,
  );
  return withEntry(file, 'hosts', withEntry(hosts, host, entry));
}

const emptyMap: MapTree = { kind: 'map', start: 0, entries: new Map() };

function byHand(host: string, { added, replaced }: Changes): Failure {
  return {
    kind: 'unexpected',
    cause: `the entry of ${host} cannot be written without changing what is around it`,
    where: `fleet.yaml, hosts.${host}`,
    remedy: 'write these lines by hand, and commit the file',
    detail: blockLines({ hosts: { [host]: { ...added, ...replaced } } }, 0, 2, 2).join('\n'),
  };
}
