import { fail, ok, type Result } from '../failure.ts';

/** Who wrote or committed, and when: `NAME <EMAIL> SECONDS ZONE`, as git-commit-tree(1) writes it. */
export interface Identity {
  readonly name: string;
  readonly email: string;
  /** Seconds since the epoch, as claimed: dates never decide trust (S3). */
  readonly seconds: number;
  /** Offset from UTC, such as `+0130`. */
  readonly zone: string;
}

const grammar = /^([^<>\n]*) <([^<>\n]*)> (0|[1-9][0-9]*) ([+-][0-9]{4})$/;

/** As strict as `git fsck --strict` (fsck_ident), and the seconds must be exact in a double. */
export function parseIdentity(text: string): Result<Identity, string> {
  const [, name, email, digits, zone] = grammar.exec(text) ?? [];
  if (name === undefined || email === undefined || zone === undefined) {
    return fail('is not of the form NAME <EMAIL> SECONDS ZONE');
  }
  const seconds = Number(digits);
  return Number.isSafeInteger(seconds) ? ok({ name, email, seconds, zone }) : fail('has a date out of range');
}

/**
 * What would end a field (`<`, `>`, NUL, line ends) is left out of name and e-mail, as git does.
 * @throws RangeError when date or zone cannot be written at all
 */
export function formatIdentity({ name, email, seconds, zone }: Identity): string {
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new RangeError('seconds must be whole and from 1970');
  if (!/^[+-][0-9]{4}$/.test(zone)) throw new RangeError('a zone is a sign and four digits');
  return `${clean(name)} <${clean(email)}> ${seconds} ${zone}`;
}

function clean(text: string): string {
  return text.replace(/[<>\n\r\0]/g, '').trim();
}
