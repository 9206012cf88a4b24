import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openerFor } from '../../../../agent/adapters/age/opener.ts';
import { fixture } from '../../../shared/trust/fixtures.ts';
import { failureOf, valueOf } from '../scratch.ts';
import { keysOf, makePair } from './keys.ts';

interface Vector {
  readonly name: string;
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly sealed: Uint8Array;
}

function parse(line: string): Vector {
  const [name = '', base64 = ''] = line.split(' ');
  const bytes = Buffer.from(base64, 'base64');
  const split = bytes.indexOf('\n\n');
  const headers = new Map<string, string[]>();
  for (const header of bytes.toString('latin1', 0, split).split('\n')) {
    const [, key = '', value = ''] = /^([^:]+): (.*)$/.exec(header) ?? [];
    headers.set(key, [...(headers.get(key) ?? []), value]);
  }
  const body = bytes.subarray(split + 2);
  return { name, headers, sealed: headers.has('compressed') ? inflateSync(body) : body };
}

const vectors = fixture('age/cctv.txt').trimEnd().split('\n').map(parse);
const expected = ({ headers }: Vector) => headers.get('expect')?.[0] ?? '';
const isForKeys = (vector: Vector) => !vector.headers.has('passphrase');

/** What the failure says, by what the vectors call it. Where a header is broken it may be cut short as well. */
const says: Readonly<Record<string, RegExp>> = {
  'no match': /^it is sealed to /,
  'HMAC failure': /^the file was changed/,
  'payload failure': /^the file (was changed|is cut short)/,
};

describe('the test vectors of the format', () => {
  test('are all here', () => {
    expect(vectors.filter(isForKeys).length).toBeGreaterThan(80);
    expect(vectors.filter((each) => isForKeys(each) && expected(each) === 'success').length).toBeGreaterThan(
      15,
    );
  });

  test.each(vectors.filter(isForKeys))('$name', async (vector) => {
    const identities = vector.headers.get('identity') ?? [(await makePair('x25519')).file.trim()];
    const opened = await openerFor(await keysOf(`${identities.join('\n')}\n`)).open(vector.sealed, 'x.age');
    if (expected(vector) === 'success') {
      const digest = createHash('sha256').update(valueOf(opened)).digest('hex');
      expect(digest).toBe(vector.headers.get('payload')?.[0]);
    } else {
      const failure = failureOf(opened);
      expect(failure.kind).toBe('secret-unopened');
      expect(failure.cause).toMatch(says[expected(vector)] ?? /./);
    }
  });

  test.each(vectors.filter((each) => !isForKeys(each)))(
    '$name, which has a passphrase, is refused',
    async ({ sealed }) => {
      const opened = await openerFor(await keysOf((await makePair('x25519')).file)).open(sealed, 'x.age');
      expect(failureOf(opened).kind).toBe('secret-unopened');
    },
  );
});
