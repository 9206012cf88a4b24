import { join } from 'node:path';
import { parseHold, serialiseHold } from '../../shared/cycle/parse-hold.ts';
import { fail, ok, type Failure } from '../../shared/failure.ts';
import type { Holds } from '../ports.ts';
import { readIfThere, removeDurably, writeDurably } from './durable.ts';
import { fileFailure } from './file-failure.ts';
import { foreignWriter } from './writers.ts';

/**
 * `hold.json` in the state folder, mode 0644: root may write it for an agent that is another user. It decides whether
 * anything is activated, so one that somebody else could have written is not believed. Any failure to read it is
 * `held` (P4).
 * @param state the agent's state folder, absolute
 */
export function fileHolds(state: string): Holds {
  const path = join(state, 'hold.json');
  return {
    async load() {
      const bytes = await readIfThere(path);
      if (!bytes.ok) return fail({ ...bytes.failure, kind: 'held', remedy: mend });
      if (bytes.value === null) return ok(null);
      const foreign = foreignWriter(path, [0]);
      return foreign === undefined ? parseHold(bytes.value, path) : fail(doubtful(foreign, path));
    },
    async save(hold) {
      const bytes = serialiseHold(hold);
      const readBack = parseHold(bytes, path);
      if (!readBack.ok) throw new Error(`tried to write a hold that is not one: ${readBack.failure.cause}`);
      return writeDurably(path, bytes, 0o644);
    },
    async remove() {
      try {
        await removeDurably(path);
        return ok(undefined);
      } catch (error) {
        return fail(fileFailure(error, 'remove the hold', path));
      }
    },
  };
}

const mend =
  'nothing is activated as long as it cannot be read: mend or remove that file, then run `autark hold` or `autark resume`';

function doubtful(why: string, where: string): Failure {
  return {
    kind: 'held',
    cause: `the hold by hand is not believed, as somebody else could have written it: ${why}`,
    where,
    remedy:
      'nothing is activated meanwhile: find out who changed that, then run `autark hold --reason TEXT` or ' +
      '`autark resume` on the machine',
  };
}
