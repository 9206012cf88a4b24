/**
 * Comparisons for which what is missing equals nothing, not even something else that is missing. They take whatever
 * comes: a value that is not of its type is not known either.
 */

/** Whether it says something at all. */
export function isKnown(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}

/** Whether both are known, and the same to the letter. */
export function isSame(one: unknown, other: unknown): boolean {
  return isKnown(one) && one === other;
}

/** Whether it is a SHA-256 in 64 hex digits: a word such as `unknown` on both sides must not pass for one. */
export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

/** Whether it is a list, be it an empty one. */
export function isList(value: unknown): boolean {
  return Array.isArray(value);
}

/** Whether it is a whole number from 0. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** What is there more than once. */
export function repeated(values: readonly string[]): readonly string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))];
}
