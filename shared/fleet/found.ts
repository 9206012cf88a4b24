import { withoutCredentials } from '../credentials.ts';
import { oneLine } from '../printable.ts';
import type { Tree } from './tree.ts';

/** Longer text is cut where it is quoted. */
const quoted = 60;

/** What stands in the file, for "must be …, not FOUND"; never a secret. */
export function found(tree: Tree): string {
  switch (tree.kind) {
    case 'list':
      return 'a list';
    case 'map':
      return 'a map';
    case 'scalar':
      return foundScalar(tree.value, tree.source);
  }
}

function foundScalar(value: string | number | boolean | null, source: string): string {
  switch (typeof value) {
    case 'string':
      return foundText(value);
    case 'number':
      return `the number ${quote(source)}`;
    case 'boolean':
      return `\`${source}\``;
    default:
      return 'nothing';
  }
}

function foundText(value: string): string {
  if (/secret-key|private key/i.test(value)) return 'what looks like a secret key';
  return value === '' ? 'an empty text' : `the text “${quote(value)}”`;
}

/** Text from a file on one bounded line, without what in a URL may be secret. */
export function quote(value: string): string {
  const line = withoutCredentials(oneLine(value));
  return line.length > quoted ? `${line.slice(0, quoted - 1)}…` : line;
}
