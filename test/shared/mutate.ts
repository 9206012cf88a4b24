/** One to three random changes: a byte flipped, changed, removed, repeated; a piece moved; the end cut off. */
export function mutate(content: Uint8Array, random: () => number): Uint8Array {
  let bytes: number[] = [...content];
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let count = 1 + below(3); count > 0; count -= 1) {
    const at = below(bytes.length);
    const kinds: readonly (() => number[])[] = [
      () => bytes.with(at, (bytes[at] ?? 0) ^ (1 << below(8))),
      () => bytes.with(at, below(256)),
      () => bytes.toSpliced(at, 1 + below(4)),
      () => bytes.toSpliced(at, 0, bytes[at] ?? 0),
      () => bytes.toSpliced(below(bytes.length), 0, ...bytes.slice(at, at + below(60))),
      () => bytes.slice(0, at),
    ];
    if (bytes.length > 0) bytes = kinds[below(kinds.length)]?.() ?? bytes;
  }
  return Uint8Array.from(bytes);
}
