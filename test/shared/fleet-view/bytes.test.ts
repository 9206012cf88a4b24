import { expect, test } from 'vitest';
import { bytesText } from '../../../shared/fleet-view/bytes.ts';

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [512 * 2 ** 20, '512 MiB'],
  [2_000_398_934_016, '1.8 TiB'],
  [3 * 2 ** 60, '3072 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
