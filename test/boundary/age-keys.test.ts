import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../rig/run.ts';
import { program } from '../rig/world.ts';

test('thousands of keys are made for stanzas without a hang, whenever memory is tidied meanwhile', async () => {
  const curve = join(program, '../adapters/age/curve.js');
  const script = `
    import { ephemeralScalar } from ${JSON.stringify(curve)};
    const points = new Set();
    for (let n = 0; n < 40_000; n += 1) points.add(Buffer.from(ephemeralScalar().publicKey).toString('hex'));
    console.log(points.size, [...points].every((point) => point.length === 64));`;
  // A small heap is tidied all the time. A thread that waits for itself heeds no time limit, so it is a process of its own.
  const call = ['--max-semi-space-size=1', '--input-type=module', '--eval', script];
  const ran = await run('timeout', ['--signal=KILL', '500', process.execPath, ...call], {
    env: { PATH: process.env['PATH'] ?? '' },
  });
  expect(ran.stdout, ran.stderr).toBe('40000 true\n');
});
