import type { Failure } from '../failure.ts';
import { parseAllowedSigners } from './allowed-signers.ts';

const file = 'allowed_signers';

/**
 * What a person should mend in `allowed_signers`, though hosts read it (21): a line that grants nothing is mostly a
 * slip, and where no line grants anything nobody new can sign.
 */
export function signersProblems(text: string): readonly Failure[] {
  const { admins, complaints } = parseAllowedSigners(text);
  const slips = complaints.map(({ line, reason }): Failure => {
    const cause = `the line grants nothing: ${reason}`;
    return { kind: 'invalid', cause, where: `${file}:${line}`, remedy: 'mend or remove the line' };
  });
  return [...slips, ...(text.includes('\0') ? [withNul] : []), ...(admins.length > 0 ? [] : [nobody])];
}

/** Git and most programs show such a file as binary, or not beyond it: whoever looks at it misses lines. */
const withNul: Failure = {
  kind: 'invalid',
  cause: 'there is a NUL in it, so that people are not shown what hosts read',
  where: file,
  remedy: 'look at it with `cat -v`, and remove what does not belong there',
};

const nobody: Failure = {
  kind: 'invalid',
  cause: 'nobody is granted anything, so whoever could sign above the parents still can, and nobody else',
  where: file,
  remedy: 'add a line for each admin: `autark admin add NAME --key FILE.pub`',
};
