import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the heap of a process that sleeps most of its life small: V8 then collects young objects in the small
 * space that it starts with instead of growing it to 32 MiB, which would stay resident. Takes effect at once; a V8
 * that does not know a flag says so on standard error and goes on.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--optimize-for-size');
}
