import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verbs } from '../../../agent/cli/verbs.ts';
import { manualPage } from '../../../docs/manual.ts';
import { describeWith } from '../../rig/needs.ts';
import { run } from '../../rig/run.ts';
import { environment } from '../../rig/world.ts';

const file = join(import.meta.dirname, '../../../docs/autark.1');

test('docs/autark.1 is what `npm run manual` writes', () => {
  expect(readFileSync(file, 'utf8')).toBe(manualPage());
});

describeWith(['mandoc'], 'the manual page, by another reader of such pages,', () => {
  test('has no flaw, and shows every verb and option', async () => {
    const linted = await run('mandoc', ['-T', 'lint', '-W', 'warning', file], { env: environment('/') });
    const flaws = (linted.stdout + linted.stderr).split('\n').filter((line) => line !== '');
    // A page made from definitions has no date of its own.
    expect(flaws.filter((line) => !line.includes('missing date'))).toEqual([]);
    const shown = await run('mandoc', ['-T', 'utf8', '-O', 'width=200', file], { env: environment('/') });
    // A terminal's bold is a letter, a backspace, and the letter again.
    const text = shown.stdout.replace(/.\u0008/g, '');
    for (const { name, options = {} } of verbs) {
      expect(text).toContain(`autark ${name}`);
      for (const option of Object.keys(options)) expect(text).toContain(`--${option}`);
    }
  });
});
