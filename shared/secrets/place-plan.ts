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
}

/**
 * Which units are told of what changed: digests before and after, by name. A secret that is gone tells nobody: who
 * still needs it would only be stopped by that.
 */
export function tellings(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  secrets: readonly Pick<Placing, 'name' | 'restart' | 'reload'>[],
): readonly Telling[] {
  const changed = secrets.filter(({ name }) => after.has(name) && after.get(name) !== before.get(name));
  return mergeTellings(
    changed.flatMap(({ name, restart, reload }) => [
      ...restart.map((unit): Telling => ({ unit, action: 'restart', secret: name })),
      ...reload.map((unit): Telling => ({ unit, action: 'reload', secret: name })),
    ]),
  );
}

/** Each unit once; who is restarted need not be reloaded. */
export function mergeTellings(all: readonly Telling[]): readonly Telling[] {
  const byUnit = new Map<string, Telling>();
  for (const each of all) {
    const known = byUnit.get(each.unit);
    if (known === undefined || (known.action === 'reload' && each.action === 'restart'))
      byUnit.set(each.unit, each);
  }
  return [...byUnit.values()];
}

/** `secrets.tell`: a line for each unit; none has blanks. */
export function tellText(all: readonly Telling[]): string {
  return all.map(({ unit, action, secret }) => `${action} ${unit} ${secret}\n`).join('');
}

/** Lines of another form are left out: they were written by nobody who knows what they mean. */
export function parseTellings(text: string): readonly Telling[] {
  return text.split('\n').flatMap((line): Telling[] => {
    const [action, unit, secret] = line.split(' ');
    if ((action !== 'restart' && action !== 'reload') || unit === undefined || secret === undefined)
      return [];
    return [{ unit, action, secret }];
  });
}
