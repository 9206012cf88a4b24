import { withoutCredentials } from '../../../shared/credentials.ts';
import { fail, ok, type FailureKind, type Result } from '../../../shared/failure.ts';
import { isObjectId, objectId, type GitObject, type ObjectId } from '../../../shared/objects/object.ts';
import { openReader, type Reading, type ReaderRules } from './reader.ts';

export interface Objects {
  read(id: ObjectId): Promise<Result<GitObject>>;
  /** Another directory took the place of the one that was read from. */
  renew(): void;
  close(): Promise<void>;
}

/** @param onDoubt called when the Git directory may be damaged */
export function openObjects(rules: ReaderRules, onDoubt: () => void): Objects {
  const reader = openReader(rules);
  /** Objects already looked for in vain: only the first time may the directory be at fault. */
  const missed = new Set<ObjectId>();
  return {
    async read(id) {
      // Anything else could say more to `cat-file` than a name.
      const reading: Reading = isObjectId(id) ? await reader.ask(id) : { kind: 'missing' };
      const result = judge(id, reading, rules);
      if (!result.ok && reading.kind !== 'too-large' && reading.kind !== 'closed' && !missed.has(id)) {
        if (missed.size > 1000) missed.clear();
        missed.add(id);
        onDoubt();
      }
      return result;
    },
    renew: () => {
      reader.renew();
    },
    close: () => reader.close(),
  };
}

const anew = 'the agent fetches everything anew by itself';

/** Only bytes whose hash is the id that was asked for are that object (S5). */
function judge(id: ObjectId, reading: Reading, { post: { directory }, cap }: ReaderRules): Result<GitObject> {
  const problem = (kind: FailureKind, cause: string, remedy = anew) =>
    fail({ kind, cause, where: `object ${id} in ${directory}`, remedy });
  switch (reading.kind) {
    case 'object': {
      const object = { type: reading.type, bytes: reading.bytes };
      if (objectId(object) === id) return ok(object);
      return problem('unreachable', 'the bytes in the Git directory are not those of this object');
    }
    case 'missing':
      return problem('unreachable', 'the Git directory lacks this object');
    case 'too-large':
      return problem(
        'invalid',
        `the object has ${reading.size} bytes, more than ${cap}`,
        'keep large files out of Git',
      );
    case 'garbage':
      return problem('unreachable', 'git cat-file answered what cannot be understood');
    case 'stopped':
      return problem('unreachable', `git cat-file gave no answer: ${withoutCredentials(reading.reason)}`);
    case 'closed':
      return problem('unreachable', 'reading was ended', 'it is begun again when it is needed');
  }
}
