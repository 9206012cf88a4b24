import { expect, test } from 'vitest';
import { hasRebooted } from '../../../shared/cycle/reboot.ts';

test.each([
  ['the boot that asked for it goes on', 'one', 'one', false],
  ['it is another boot', 'one', 'two', true],
  ['nothing asked for one', null, 'two', false],
  ['the kernel does not say which boot this is', 'one', '', false],
] as const)('%s', (_when, rebootRequired, boot, expected) => {
  expect(hasRebooted({ rebootRequired }, boot)).toBe(expected);
});
