import { expect, test } from 'vitest';
import { isSshAddress } from '../../../shared/fleet/git-names.ts';

// git-fetch(1), "GIT URLS".
test.each([
  ['ssh://git@example.org/fleet.git', true],
  ['SSH://example.org/fleet.git', true],
  ['git@example.org:fleet.git', true],
  ['example.org:fleet.git', true],
  ['https://example.org/fleet.git', false],
  ['git://example.org/fleet.git', false],
  ['file:///srv/fleet.git', false],
  ['/srv/fleet.git', false],
  ['./a:b', false],
  ['fleet.git', false],
])('whether git goes to %s by ssh: %s', (address, is) => {
  expect(isSshAddress(address)).toBe(is);
});
