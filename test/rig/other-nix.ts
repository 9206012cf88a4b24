import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Suite, treeOf } from './rootfs.ts';

const programs =
  'nix nix-build nix-collect-garbage nix-daemon nix-env nix-instantiate nix-prefetch-url nix-store'.split(
    ' ',
  );

/**
 * Another Nix than the machine's: programs to put first on PATH, each of them that suite's, run with this machine's
 * files. Its `/usr` lies over the machine's, seen by that program and what it starts alone; whoever signals the
 * process id that was started signals Nix itself. Needs root and the suite's tree.
 * @param folder made if it is not there
 * @returns the folder
 */
export function otherNix(suite: Suite, folder: string): string {
  mkdirSync(folder, { recursive: true });
  for (const program of programs) {
    // Debian's `/bin`, `/lib` and `/sbin` lead into `/usr`.
    const inside = `/usr/bin/mount --bind '${treeOf(suite)}/usr' /usr && exec /usr/bin/${program} "$@"`;
    const script = [
      '#!/bin/sh',
      `exec /usr/bin/unshare --mount --propagation private /bin/sh -c '${quoted(inside)}' ${program} "$@"`,
    ];
    writeFileSync(join(folder, program), `${script.join('\n')}\n`, { mode: 0o755 });
  }
  return folder;
}

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
