import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { removeTree } from '../../../agent/adapters/remove-tree.ts';

/** An empty folder that goes when the test ends, however it ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'autark-test-'));
  onTestFinished(() => removeTree(folder));
  return folder;
}

/** Numbers in [0, 1) that a seed determines (mulberry32, Tommy Ettinger). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `AUTARK_SEED`, to repeat a run, or a new one; the test prints it when it fails. */
export function chooseSeed(): number {
  const given = process.env['AUTARK_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
}

/** The value of a result that the test expects to be good. */
export function valueOf<Value>(result: { ok: true; value: Value } | { ok: false; failure: unknown }): Value {
  if (!result.ok) throw new Error(`unexpected failure: ${JSON.stringify(result.failure)}`);
  return result.value;
}

/** The failure of a result that the test expects to fail. */
export function failureOf<Problem>(result: { ok: true } | { ok: false; failure: Problem }): Problem {
  if (result.ok) throw new Error('expected a failure');
  return result.failure;
}
