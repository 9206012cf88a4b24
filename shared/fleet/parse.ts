import * as v from 'valibot';
import { fail, ok, type Result } from '../failure.ts';
import { placed, type Problem } from './findings.ts';
import type { Finding, Fleet, Host } from './fleet.ts';
import { readYaml } from './read-yaml.ts';
import { layers, relationProblems } from './relations.ts';
import { isNewer } from './release.ts';
import { foreignKeys, mergeHost, systemProblems, toHost } from './resolve.ts';
import { secretProblems, toSecrets } from './resolve-secrets.ts';
import * as schema from './schema.ts';
import { below, mapBelow, withEntry, type MapTree } from './tree.ts';
import { validate } from './validate.ts';

export { failureOf } from './findings.ts';

/** What the findings call the file, and the release that reads it. */
export interface ParseOptions {
  readonly file: string;
  readonly version: string;
}

/**
 * `fleet.yaml` with every host resolved, or everything that is wrong in it, in the file's order. A file that
 * `requires` a newer release is read as far as this one can: keys that it does not know become warnings, and
 * `tooNew` says that no step may run.
 */
export function parseFleet(text: string, options: ParseOptions): Result<Fleet, readonly Finding[]> {
  const at = (problems: readonly Problem[]) => placed(problems, text, options.file);
  const reading = readYaml(text);
  if (!reading.ok) return fail(at(reading.problems));
  const file = withRequiresAsWritten(reading.tree);
  const format = formatProblem(file);
  if (format !== undefined) return fail(at([format]));
  const tooNew = requiredRelease(file, options.version);
  const { problems, unknown, value } = validate(schema.fleet, file);
  const merged = hostNames(file).map((name) => [name, mergeHost(file, name)] as const);
  const wrong = [
    ...problems,
    ...(tooNew === undefined ? unknown : []),
    ...relationProblems(file),
    ...systems(file, merged),
    ...secretProblems(file),
  ];
  if (wrong.length > 0) return fail(at(wrong));
  const { fleet, readers } = v.parse(schema.head, value);
  const hosts = new Map(merged.map(([name, entry]): [string, Host] => [name, toHost(name, entry)]));
  return ok({
    fleet,
    readers: readers ?? [],
    groups: [...(mapBelow(file, 'groups')?.entries.keys() ?? [])],
    hosts,
    secrets: toSecrets(file, hosts),
    tooNew: tooNew !== undefined,
    warnings: tooNew === undefined ? [] : at([tooNew, ...unknown]),
  });
}

/** YAML reads 1.10 as the number 1.1. */
function withRequiresAsWritten(file: MapTree): MapTree {
  const entry = file.entries.get('requires');
  if (entry?.value.kind !== 'scalar' || typeof entry.value.value !== 'number') return file;
  return withEntry(file, 'requires', { ...entry.value, value: entry.value.source });
}

/** A later format: nothing else in the file can be judged. */
function formatProblem(file: MapTree): Problem | undefined {
  const version = below(file, 'version');
  if (version?.kind !== 'scalar' || !Number.isInteger(version.value) || Number(version.value) < 2)
    return undefined;
  return {
    start: version.start,
    key: 'version',
    cause: `the file is of format ${version.source}, and this autark reads format 1`,
    remedy: 'upgrade autark on this machine',
  };
}

function requiredRelease(file: MapTree, version: string): Problem | undefined {
  const requires = below(file, 'requires');
  if (requires?.kind !== 'scalar' || typeof requires.value !== 'string') return undefined;
  // What is no release at all is a finding of the schema's.
  if (!v.is(schema.fleet.entries.requires, requires.value) || !isNewer(requires.value, version))
    return undefined;
  return {
    start: requires.start,
    key: 'requires',
    cause: `the file needs autark ${requires.value}, and this is ${version}: no step runs`,
    remedy: 'upgrade autark on this machine',
  };
}

function hostNames(file: MapTree): readonly string[] {
  return [...(mapBelow(file, 'hosts')?.entries.keys() ?? [])];
}

type Merged = readonly (readonly [string, MapTree])[];

function systems(file: MapTree, merged: Merged): readonly Problem[] {
  const retired = (entry: MapTree): boolean => {
    const value = below(entry, 'retired');
    return value?.kind === 'scalar' && value.value === true;
  };
  const written = layers(file).flatMap(([key, layer]) => foreignKeys(layer, key));
  const told = new Set(written.map(({ start }) => start));
  const resolved = merged.flatMap(([name, entry]) =>
    retired(entry) ? [] : systemProblems(entry, `hosts.${name}`),
  );
  // A slip in a group is said once, not for each of its hosts.
  return [...written, ...resolved.filter(({ start }) => !told.has(start))];
}
