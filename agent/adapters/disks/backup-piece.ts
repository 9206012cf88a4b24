import type { Backup } from '../../../shared/disk/backup.ts';

/** What became of one backup: it was taken, or there is a problem, or nothing needs it. */
export interface Piece {
  readonly backup?: Backup;
  readonly problem?: string;
}

/** Nothing to say is no backup. */
export function asText(name: string, text: string): Piece {
  return text === '' ? {} : { backup: { name, content: Buffer.from(text, 'utf8') } };
}
