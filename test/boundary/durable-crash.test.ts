import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeDurably } from '../../agent/adapters/durable.ts';
import { chooseSeed, scratch, seeded, valueOf } from '../agent/adapters/scratch.ts';
import { built, runModule } from './children.ts';

/** Writes 1, 2, 3 … over and over, each some megabytes long, and says each number when it is safe. */
const writer = `
  import { writeDurably } from ${built('durable')};
  const [, path, first] = process.argv;
  for (let number = Number(first); ; number += 1) {
    const written = await writeDurably(path, Buffer.from((number + '\\n').repeat(400_000)), 0o600);
    if (!written.ok) throw new Error(JSON.stringify(written));
    process.stdout.write(number + '\\n');
  }`;

test('a file is wholly the old or the new one, whenever its writer is killed', async () => {
  const seed = chooseSeed();
  const random = seeded(seed);
  const folder = scratch();
  const path = join(folder, 'file');
  let safe = 0;
  for (let round = 0; round < 20; round += 1) {
    const stopAfter = safe + 1 + Math.floor(random() * 3);
    const { child, ended } = runModule(writer, [path, String(safe + 1)], (line) => {
      safe = Math.max(safe, Number(line));
      // A busy turn of random length, so that the kill hits another place each time.
      const until = performance.now() + random() * 8;
      while (performance.now() < until);
      if (safe >= stopAfter) child.kill('SIGKILL');
    });
    await ended;
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    const because = `seed ${seed}, round ${round}, ${safe} was safe`;
    expect(new Set(lines).size, because).toBe(1);
    expect(lines.length, because).toBe(400_000);
    expect(Number(lines[0]), because).toBeGreaterThanOrEqual(safe);
    // The one that was killed may have left one file, its predecessors none.
    expect(readdirSync(folder).length, because).toBeLessThanOrEqual(2);
    safe = Number(lines[0]);
  }
  valueOf(await writeDurably(path, Buffer.from('end'), 0o600));
  expect(readdirSync(folder)).toEqual(['file']);
});
