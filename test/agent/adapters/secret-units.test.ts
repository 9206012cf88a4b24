import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/** The settings of a unit's section, as it is shipped. */
function settingsOf(unit: string, section: string): readonly string[] {
  const text = readFileSync(join(import.meta.dirname, '../../../systemd', unit), 'utf8');
  const [, inside = ''] = text.split(`[${section}]\n`);
  return (inside.split('\n[')[0] ?? '').split('\n');
}

test.each([
  'autark.service',
  'autark-once.service',
  'autark-secrets.service',
  'autark-secrets-early.service',
])('%s, which has values in its memory, leaves none in a core dump (S13)', (unit) => {
  expect(settingsOf(unit, 'Service')).toContain('LimitCORE=0');
});
