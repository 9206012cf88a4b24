import * as v from 'valibot';
import { meet } from '../secrets/place-plan.ts';
import type { Secret } from '../secrets/secret.ts';
import type { Problem } from './findings.ts';
import type { Host } from './fleet.ts';
import { quote } from './found.ts';
import { secret as schema, type SecretEntry } from './schema.ts';
import { below, itemsBelow, mapBelow, textOf, type MapTree, type Tree } from './tree.ts';
import { validate } from './validate.ts';

/** Who may read a file of root's alone, unless it is declared otherwise (S13). */
const product = { owner: 'root', group: 'root', mode: '0400' } as const;

/** The secrets of a file that has passed every check, with the hosts that each goes to. */
export function toSecrets(file: MapTree, hosts: ReadonlyMap<string, Host>): ReadonlyMap<string, Secret> {
  return new Map(
    [...(mapBelow(file, 'secrets')?.entries ?? [])].map(([name, { value }]): [string, Secret] => {
      const entry = value.kind === 'map' ? v.parse(schema, validate(schema, value).value) : {};
      return [name, toSecret(name, entry, hosts)];
    }),
  );
}

function toSecret(name: string, entry: SecretEntry, hosts: ReadonlyMap<string, Host>): Secret {
  const { owner = product.owner, group = product.group, mode = product.mode, path } = entry;
  const goesTo = [...hosts.values()].filter(
    (host) =>
      !host.retired &&
      ((entry.hosts ?? []).includes(host.name) || host.groups.some((each) => entry.groups?.includes(each))),
  );
  return {
    name,
    hosts: goesTo.map((host) => host.name),
    ...{ owner, group, mode: Number.parseInt(mode, 8) },
    ...(path === undefined ? {} : { path }),
    ...{ restart: entry.restart ?? [], reload: entry.reload ?? [] },
    ...{ early: entry.early ?? false, each: entry.each ?? false },
  };
}

/** Where autark itself writes: a declared path there would take the place of what it needs. */
const reserved = ['/run/autark', '/var/lib/autark', '/etc/autark'];

/**
 * What a secret's `path` may not be: one of autark's own; or, on a host that gets both, another secret's or a place below that.
 */
export function secretProblems(file: MapTree): readonly Problem[] {
  const taken: { readonly name: string; readonly path: string; readonly hosts: readonly string[] }[] = [];
  return [...(mapBelow(file, 'secrets')?.entries ?? [])].flatMap(([name, { value }]) => {
    const tree = below(value, 'path');
    const written = textOf(tree);
    if (tree === undefined || written === undefined) return [];
    const path = withoutVarRun(written);
    const key = `secrets.${quote(name)}.path`;
    const hosts = hostsOf(file, value);
    const other = taken.find((each) => meet(each.path, path) && mayShareHost(each.hosts, hosts));
    taken.push({ name: other?.name ?? name, path, hosts });
    const cause = reserved.some((each) => meet(each, path))
      ? `${key} lies where autark keeps its own files`
      : other === undefined
        ? undefined
        : `${key} is the path of secrets.${quote(other.name)}, or one lies below the other, on the same host`;
    const remedy = 'give each secret a path of its own, such as below /etc';
    return cause === undefined ? [] : [{ start: tree.start, key, cause, remedy }];
  });
}

/** `/var/run` is a link to `/run` wherever systemd is (file-hierarchy(7)). */
function withoutVarRun(path: string): string {
  return path.replace(/^\/var\/run(?=\/|$)/, '/run');
}

/** One that nobody gets yet may go to any host. */
function mayShareHost(some: readonly string[], others: readonly string[]): boolean {
  return some.length === 0 || others.length === 0 || some.some((host) => others.includes(host));
}

/** The hosts that a secret names, and those in its groups; one that is retired still counts. */
function hostsOf(file: MapTree, secret: Tree): readonly string[] {
  const texts = (tree: Tree | undefined, key: string) =>
    itemsBelow(tree, key).flatMap((item) => textOf(item) ?? []);
  const groups = texts(secret, 'groups');
  const members = [...(mapBelow(file, 'hosts')?.entries ?? [])]
    .filter(([, { value }]) => texts(value, 'groups').some((group) => groups.includes(group)))
    .map(([host]) => host);
  return [...texts(secret, 'hosts'), ...members];
}
