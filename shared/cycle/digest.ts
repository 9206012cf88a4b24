import { createHash } from 'node:crypto';

/** One entry of a built system, as the digest sees it. */
export interface DigestEntry {
  readonly type: 'directory' | 'file' | 'link';
  /** Relative to the system, `/` between names; empty for the system itself. Bytes: names need not be text. */
  readonly path: Uint8Array;
  /** Permission bits, set-id and sticky included; 0 for links, whose mode means nothing. */
  readonly mode: number;
  /** Bytes that follow through `content`: a file's content or a link's target; 0 for a directory. */
  readonly size: number;
}

export interface SystemDigest {
  entry(entry: DigestEntry): void;
  content(bytes: Uint8Array): void;
  /** 64 hex digits. */
  finish(): string;
}

/**
 * SHA-256 over what makes two systems the same: paths, types, modes, link targets and contents. Each entry is
 * `TYPE SP MODE SP PATH-LENGTH SP SIZE NUL PATH CONTENT`, mode in octal, lengths in decimal bytes: no two
 * trees give the same bytes. Entries come parents first, the names of one directory in byte order.
 */
export function startDigest(): SystemDigest {
  const hash = createHash('sha256').update('autark system 1\0');
  return {
    entry({ type, mode, path, size }) {
      hash.update(`${type} ${mode.toString(8)} ${path.length} ${size}\0`).update(path);
    },
    content(bytes) {
      hash.update(bytes);
    },
    finish: () => hash.digest('hex'),
  };
}
