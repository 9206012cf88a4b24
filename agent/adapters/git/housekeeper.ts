import type { Result } from '../../../shared/failure.ts';

/** The small files that a Git directory is to have, by name. */
export type DirectoryFiles = Readonly<Record<string, string>>;

/**
 * Who makes, cleans and removes the agent's Git directories. Root does nothing inside one that belongs to another user:
 * that user could put a link in its way (S7).
 */
export interface Housekeeper {
  /** Makes a directory with exactly these files, as far as they are missing. One that is ready costs no write (P9). */
  prepare(directory: string, files: DirectoryFiles): Promise<Result<void>>;
  /**
   * Removes what killed gits left: locks, which would stop every later fetch, and half-written packs, which nobody
   * else collects, for maintenance is off. Does nothing while another git works in the directory.
   */
  sweep(directory: string): Promise<void>;
  /** Removes a directory whole; none there is fine. Throws the system's error. */
  remove(directory: string): Promise<void>;
}
