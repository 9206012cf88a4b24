const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A number of bytes in the largest unit that fits, to a tenth: `512 B`, `1.5 MiB`, `10 GiB`. */
export function bytesText(bytes: number): string {
  let shown = `${bytes} B`;
  let left = bytes;
  for (const unit of units) {
    if (left < 1024) break;
    left /= 1024;
    shown = `${left.toFixed(1).replace(/\.0$/, '')} ${unit}`;
  }
  return shown;
}
