import { join } from 'node:path';
import { parseJournal, serialiseJournal } from '../../shared/cycle/parse-journal.ts';
import { fail, ok } from '../../shared/failure.ts';
import type { Journals } from '../ports.ts';
import { readIfThere, writeDurably } from './durable.ts';

/**
 * `journal.json` in the state folder, mode 0600. Any failure to read it is `held`: absent means that nothing
 * at all is there, and nothing else does (S2, P4).
 * @param state the agent's state folder, absolute
 */
export function fileJournals(state: string): Journals {
  const path = join(state, 'journal.json');
  return {
    async load() {
      const bytes = await readIfThere(path);
      if (!bytes.ok) {
        const remedy = `this host deploys nothing until root can read its journal again: ${bytes.failure.remedy}`;
        return fail({ ...bytes.failure, kind: 'held', remedy });
      }
      return bytes.value === null ? ok(null) : parseJournal(bytes.value, path);
    },
    async save(journal) {
      const bytes = serialiseJournal(journal);
      // A journal that could not be read back would hold this host for good: better to stay with the old one.
      const readBack = parseJournal(bytes, path);
      if (!readBack.ok)
        throw new Error(`tried to write a journal that is not one: ${readBack.failure.cause}`);
      return writeDurably(path, bytes, 0o600);
    },
  };
}
