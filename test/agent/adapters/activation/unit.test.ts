import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unitActivations } from '../../../../agent/adapters/activation/unit.ts';
import { scratch } from '../scratch.ts';

const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** A machine whose systemctl does this for `show`; the activation's own word lies in `word`. */
function machine(show: string): { word: string; outcome: () => Promise<unknown> } {
  const folder = scratch();
  const programs = join(folder, 'bin');
  const activation = join(folder, 'activation');
  for (const each of [programs, activation]) mkdirSync(each);
  const word = join(activation, 'switch-7-1');
  writeFileSync(join(programs, 'systemctl'), `#!/bin/sh\nword=${word}\n${show}\n`, { mode: 0o755 });
  writeFileSync(join(programs, 'journalctl'), '#!/bin/sh\n', { mode: 0o755 });
  const activations = unitActivations({ folder: activation, env: { PATH: `${programs}:/usr/bin:/bin` } });
  const bounds = { timeout: 1000, signal: new AbortController().signal };
  return { word, outcome: () => activations.outcome({ name: 'switch-7-1' }, bounds) };
}

const gone = 'echo ActiveState=inactive; echo Job=0';

test('an activation that ended before a power cut counts as cut off: nobody knows what of it is on the disk', async () => {
  const { word, outcome } = machine(gone);
  writeFileSync(word, 'success exited 0 0b0b0b0b-0000-4000-8000-000000000000\n');
  expect(await outcome()).toBeNull();
});

test('an activation that nothing is left of was cut off', async () => {
  const { outcome } = machine(gone);
  expect(await outcome()).toBeNull();
});

test('an activation that ends between the look at its word and the one at its unit has ended', async () => {
  const { outcome } = machine(`echo "success exited 4 ${boot}" >"$word"; ${gone}`);
  expect(await outcome()).toEqual({ ending: { how: 'exited', code: 4 }, tail: '' });
});
