import type { Journal } from './journal.ts';

/**
 * Whether the reboot that a generation asked for has happened: the kernel's boot id is another one. A kernel that does not
 * say its boot says nothing about it either (P4).
 */
export function hasRebooted({ rebootRequired }: Pick<Journal, 'rebootRequired'>, boot: string): boolean {
  return rebootRequired !== null && boot !== '' && rebootRequired !== boot;
}
