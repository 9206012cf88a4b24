import { join } from 'node:path';
import { parseJournal, serialiseJournal } from '../../shared/cycle/parse-journal.ts';
import { fail, ok, type Failure } from '../../shared/failure.ts';
import type { Journals } from '../ports.ts';
import { readIfThere, writeDurably } from './durable.ts';
import { foreignWriter } from './writers.ts';

/**
 * `journal.json` in the state folder, mode 0600. It says which revisions need not be verified again, so one that
 * somebody else could have written is not believed. Any failure to read it is `held`: absent means that nothing
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
      if (bytes.value === null) return ok(null);
      const foreign = foreignWriter(path);
      return foreign === undefined ? parseJournal(bytes.value, path) : fail(doubtful(foreign, path));
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

function doubtful(why: string, where: string): Failure {
  return {
    kind: 'held',
    cause: `the journal is not believed, as somebody else could have written it: ${why}`,
    where,
    remedy:
      'find out who changed that; once you know that what it says is true, `chown` and `chmod go-w` what is named',
  };
}
