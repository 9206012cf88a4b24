import { randomBytes } from 'node:crypto';
import type { Random } from '../ports.ts';

/** From the kernel's generator (random(7)). */
export function systemRandom(): Random {
  return {
    id: () => randomBytes(16).toString('hex'),
    // 48 bits are the most that readUIntBE reads, and fit a double exactly.
    fraction: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  };
}
