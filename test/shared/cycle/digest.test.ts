import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type DigestEntry, startDigest } from '../../../shared/cycle/digest.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function digest(
  ...entries: readonly (Omit<DigestEntry, 'path' | 'size'> & { path: string; content?: string })[]
) {
  const digest = startDigest();
  for (const { type, path, mode, content = '' } of entries) {
    digest.entry({ type, path: bytes(path), mode, size: bytes(content).length });
    digest.content(bytes(content));
  }
  return digest.finish();
}

describe('the digest of a system', () => {
  test('is SHA-256 over the documented encoding', () => {
    const encoding =
      'autark system 1\0' + 'directory 755 0 0\0' + 'link 0 7 6\0currentbin/ü' + 'file 4755 5 3\0bin/aabc';
    expect(
      digest(
        { type: 'directory', path: '', mode: 0o755 },
        { type: 'link', path: 'current', mode: 0, content: 'bin/ü' },
        { type: 'file', path: 'bin/a', mode: 0o4755, content: 'abc' },
      ),
    ).toBe(createHash('sha256').update(encoding).digest('hex'));
  });

  test('tells apart what plain concatenation would not', () => {
    const file = { type: 'file', mode: 0o644 } as const;
    const variants = [
      digest({ ...file, path: 'a', content: 'bc' }),
      digest({ ...file, path: 'ab', content: 'c' }),
      digest({ ...file, path: 'a', content: 'bc', mode: 0o755 }),
      digest({ type: 'link', mode: 0o644, path: 'a', content: 'bc' }),
      digest({ ...file, path: 'a' }, { ...file, path: 'bc' }),
      digest({ ...file, path: 'a', content: 'file 644 2 0\0bc' }),
    ];
    expect(new Set(variants).size).toBe(variants.length);
  });
});
