/**
 * What `sfdisk --dump` printed, with names that stay: the kernel's name of a disk may be another one after the next boot.
 * sfdisk takes a partition's number from the end of its name, and cares for nothing else in it.
 */
export function neutralTable(dump: string, id: string): string {
  const lines = dump.split('\n').map((line) => {
    if (line.startsWith('device:')) return `device: ${id}`;
    return line.replace(/^\S*?(\d+) *: start=/, `${id}-part$1 : start=`);
  });
  return `${lines.join('\n').trimEnd()}\n`;
}

/**
 * Whether this is no table but what guards one: a GPT has an entry of type `ee` in front of it, over the whole disk (UEFI,
 * 5.2.3), which is all that is seen when both copies of the GPT itself are gone.
 */
export function isGuardAlone(dump: string): boolean {
  const partitions = dump.split('\n').filter((line) => line.includes(': start='));
  return /^label: dos$/m.test(dump) && partitions.length === 1 && /\btype=ee\b/.test(partitions[0] ?? '');
}
