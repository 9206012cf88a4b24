import type { Placing } from './secret.ts';

/** What lies at a path where a secret's link belongs. */
export type AtPath =
  | { readonly what: 'nothing' }
  | { readonly what: 'link'; readonly target: string }
  /** A file or a folder. */
  | { readonly what: 'other' };

/** Whether a link is one of ours: nothing else is ever replaced or removed. */
export function isOurs(at: AtPath, place: string): boolean {
  return at.what === 'link' && at.target.startsWith(`${place}/`);
}

/** What becomes of the link of a secret. `taken`: somebody else's file stays. */
export function linkStep(at: AtPath, place: string, target: string): 'make' | 'leave' | 'taken' {
  if (at.what === 'nothing') return 'make';
  if (!isOurs(at, place)) return 'taken';
  return at.what === 'link' && at.target === target ? 'leave' : 'make';
}

/** Whether two absolute paths are the same, or one lies below the other. */
export function meet(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}

/** How a unit is told of a new value. */
export interface Telling {
  readonly unit: string;
  readonly action: 'restart' | 'reload';
  /** The first secret that wants it. */
  readonly secret: string;
  /** Where it is told nothing yet, and only has to be known to the machine. */
  readonly isOnlyNamed?: true;
}

type Declared = Pick<Placing, 'name' | 'restart' | 'reload'>;

/** All units that these secrets name, for each of them. */
export function namedBy(secrets: readonly Declared[]): readonly Telling[] {
  return secrets.flatMap(({ name, restart, reload }) => [
    ...restart.map((unit): Telling => ({ unit, action: 'restart', secret: name })),
    ...reload.map((unit): Telling => ({ unit, action: 'reload', secret: name })),
  ]);
}

/**
 * Which units are told of what changed: digests before and after, by name. A secret that is gone tells nobody: who
 * still needs it would only be stopped by that. A unit that is newly named for a value that did not change is named only, so
 * that a slip is found with the commit that made it, and not by the next value.
 * @param named what the set before named, as `namedBy` has it
 */
export function tellings(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  secrets: readonly Declared[],
  named: readonly Telling[],
): readonly Telling[] {
  const there = secrets.filter(({ name }) => after.has(name));
  const hasChanged = ({ name }: Pick<Declared, 'name'>) => after.get(name) !== before.get(name);
  const known = new Set(named.map(lineOf));
  const others = namedBy(there.filter((each) => !hasChanged(each))).filter(
    (each) => !known.has(lineOf(each)),
  );
  return mergeTellings([
    ...namedBy(there.filter(hasChanged)),
    ...others.map((each): Telling => ({ ...each, isOnlyNamed: true })),
  ]);
}

/** Each unit once; who is restarted need not be reloaded, and who is told is known. */
export function mergeTellings(all: readonly Telling[]): readonly Telling[] {
  const byUnit = new Map<string, Telling>();
  for (const each of all) {
    const known = byUnit.get(each.unit);
    if (known === undefined || weight(known) < weight(each)) byUnit.set(each.unit, each);
  }
  return [...byUnit.values()];
}

function weight({ action, isOnlyNamed }: Telling): number {
  if (isOnlyNamed === true) return 0;
  return action === 'reload' ? 1 : 2;
}

/** `secrets.tell`: a line for each unit; none has blanks. An older agent passes over those that are only named. */
export function tellText(all: readonly Telling[]): string {
  return all.map((each) => `${lineOf(each)}\n`).join('');
}

function lineOf({ action, unit, secret, isOnlyNamed }: Telling): string {
  return `${isOnlyNamed === true ? 'named-' : ''}${action} ${unit} ${secret}`;
}

/** Lines of another form are left out: they were written by nobody who knows what they mean. */
export function parseTellings(text: string): readonly Telling[] {
  return text.split('\n').flatMap((line): Telling[] => {
    const [, named, action] = /^(named-)?(restart|reload) /.exec(line) ?? [];
    const [, unit, secret] = line.split(' ');
    if ((action !== 'restart' && action !== 'reload') || unit === undefined || secret === undefined)
      return [];
    return [{ unit, action, secret, ...(named === undefined ? {} : { isOnlyNamed: true }) }];
  });
}
