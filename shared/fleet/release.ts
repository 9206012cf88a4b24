/**
 * Whether the first release is newer than the second: numbers with dots between them, of which missing ones
 * count as 0. What follows them, such as `-rc.1`, does not count.
 */
export function isNewer(release: string, than: string): boolean {
  const [left, right] = [numbers(release), numbers(than)];
  const at = left.findIndex((number, index) => number !== right[index]);
  return at !== -1 && (left[at] ?? 0) > (right[at] ?? 0);
}

function numbers(release: string): readonly number[] {
  const parts = (/^[0-9.]*/.exec(release)?.[0] ?? '').split('.').map(Number);
  return [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
}
