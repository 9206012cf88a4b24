import type { Stanza } from 'age-encryption';
import type { Failure } from '../../../shared/failure.ts';

/** Why a sealed file was not opened, for people. Nothing of a value or a key is ever in here. */

/** More than any fleet has; each costs a multiplication on the curve. */
const mostStanzas = 4096;

export function otherFormat(begin: string, where: string): Failure {
  const [, other] = /^age-encryption\.org\/(v[0-9]{1,4})/.exec(begin) ?? [];
  if (other !== undefined && other !== 'v1') {
    const cause = `it is sealed in version ${other} of age's format, and only v1 is known here`;
    return unopened(cause, where, 'seal it with a version of age that writes v1');
  }
  return unopened(
    'it is not an age file',
    where,
    'restore it from an earlier revision, or set its value anew (`autark secret set`)',
  );
}

export function cutShort(where: string): Failure {
  return unopened('the file is cut short', where, restore);
}

export function changed(where: string): Failure {
  return unopened('the file was changed or cut short after it was sealed', where, restore);
}

const restore = 'restore it from a revision that can be opened, or set its value anew (`autark secret set`)';

/** Before any key is tried. */
export function refused(stanzas: readonly Stanza[], where: string): Failure | null {
  if (stanzas.some(({ args }) => args[0] === 'scrypt')) {
    return unopened(
      'it is sealed with a passphrase, not to keys',
      where,
      'open it with `age -d`, and set what comes out as the value (`autark secret set`)',
    );
  }
  if (stanzas.length <= mostStanzas) return null;
  const cause = `it is sealed to ${stanzas.length} keys, more than the ${mostStanzas} that are tried here`;
  return unopened(cause, where, 'seal it to fewer keys: one for each host and reader');
}

export function forOthers(stanzas: readonly Stanza[], where: string): Failure {
  const [count, kinds] = [stanzas.length, kindsOf(stanzas)];
  const keys = count === 1 ? `another key (${kinds})` : `${count} other keys (${kinds})`;
  return unopened(
    `it is sealed to ${keys}`,
    where,
    'use one of those (`--identity FILE`), or let somebody who can open it run `autark rekey` once this key is asked for in fleet.yaml',
  );
}

/** What the stanza types of age are the other half of. */
const names: ReadonlyMap<string, string> = new Map([
  ['X25519', 'age1…'],
  ['mlkem768x25519', 'age1pq1…'],
  ['ssh-ed25519', 'ssh-ed25519'],
  ['ssh-rsa', 'ssh-rsa'],
  ['piv-p256', 'age1yubikey1…'],
  ['p256tag', 'age1tag1…'],
  ['mlkem768p256tag', 'age1tagpq1…'],
]);

/** Such as `2 ssh-ed25519, 1 age1…`. Types are ASCII, for the header has been parsed. */
function kindsOf(stanzas: readonly Stanza[]): string {
  const counts = new Map<string, number>();
  for (const { args } of stanzas) {
    const type = args[0] ?? '';
    const kind = names.get(type) ?? `${type.slice(0, 40)}, unknown here`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  const shown = [...counts].slice(0, 8).map(([kind, count]) => `${count} ${kind}`);
  return [...shown, ...(counts.size > 8 ? ['and others'] : [])].join(', ');
}

function unopened(cause: string, where: string, remedy: string): Failure {
  return { kind: 'secret-unopened', cause, where, remedy };
}
