import { describe, expect, test } from 'vitest';
import { fromBech32 } from '../../../shared/secrets/bech32.ts';

/** A recipient as age-keygen prints one. */
const publicKey = 'age1cy0su9fwf3gf9mw868g5yut09p6nytfmmnktexz2ya5uqg9vl9sss4euqm';

describe('Bech32', () => {
  test('is read as BIP 173 has it', () => {
    // Its valid strings whose data is whole bytes.
    expect(fromBech32('A12UEL5L')).toEqual({ prefix: 'a', bytes: new Uint8Array(0) });
    expect(fromBech32('a12uel5l')).toEqual({ prefix: 'a', bytes: new Uint8Array(0) });
    const split = fromBech32('split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w');
    expect(split?.prefix).toBe('split');
    expect(Buffer.from(split?.bytes ?? []).toString('hex')).toBe(
      'c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d',
    );
  });

  test('keeps a digit 1 in what stands before the last one', () => {
    // BIP 173: 83 characters, then the separator, then the checksum alone.
    const text = 'an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs';
    expect(fromBech32(text)?.prefix).toBe(text.slice(0, 83));
  });

  test.each([
    'A1G7SGD8', // a checksum of the prefix in capitals
    '10a06t8', // no prefix
    '1qzzfhee', // the same
    'x1b4n0q5v', // the letter b
    'li1dgmt3', // a checksum that is too short
    'pzry9x0s0muk', // no separator
    'a12UEL5L', // mixed case
    'split1cheo2y9e2w', // the letter o
    `${publicKey} `,
    '',
  ])('refuses %j', (text) => {
    expect(fromBech32(text)).toBeUndefined();
  });

  test('finds any one letter that is another', () => {
    expect(fromBech32(publicKey)?.bytes).toHaveLength(32);
    for (const [at, letter] of Array.from(publicKey).entries()) {
      const other = letter === 'q' ? 'p' : 'q';
      const changed = `${publicKey.slice(0, at)}${other}${publicKey.slice(at + 1)}`;
      expect(fromBech32(changed), changed).toBeUndefined();
    }
  });
});
