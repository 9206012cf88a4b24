import { fail, ok, type Failure } from '../../shared/failure.ts';
import { objectId } from '../../shared/objects/object.ts';
import type { ObjectReader } from '../clone-ports.ts';
import { plainEnvironment, type CloneSurroundings } from './clone-git.ts';
import { openAhead } from './git/ahead.ts';
import { openReader, type Reading } from './git/reader.ts';

/** Bytes above which no commit, tree or `allowed_signers` is read. */
const cap = 256 * 2 ** 20;

/** The clone's objects through one `git cat-file --batch`, for the verdict on its history. */
export function openCloneObjects(root: string, env: CloneSurroundings['env']): ObjectReader {
  const rules = { post: { directory: root, env: plainEnvironment(env) }, cap, patience: 60_000 };
  const reader = openReader(rules);
  const ahead = openAhead(rules);
  return {
    readAhead: (head, bases, take) => ahead.read(head, bases, take),
    async read(id) {
      const reading = await reader.ask(id);
      if (reading.kind !== 'object') return fail(unread(id, reading));
      const object = { type: reading.type, bytes: reading.bytes };
      return objectId(object) === id ? ok(object) : fail(unread(id, { kind: 'garbage', line: '' }));
    },
    async close() {
      await Promise.all([reader.close(), ahead.close()]);
    },
  };
}

function unread(where: string, reading: Exclude<Reading, { kind: 'object' }>): Failure {
  const kind = 'unexpected';
  switch (reading.kind) {
    case 'missing':
      return {
        ...{ kind, where, cause: 'this clone lacks an object of the history' },
        remedy: 'if it is shallow, run `git fetch --unshallow`, and else `git fsck`',
      };
    case 'too-large':
      return {
        ...{ kind, where, cause: `an object of the history has ${reading.size} bytes, more than ${cap}` },
        remedy: 'keep large files out of Git',
      };
    case 'garbage':
    case 'stopped':
    case 'closed':
      return {
        ...{ kind, where, cause: 'an object of this clone cannot be read' },
        remedy: 'run `git fsck`, or clone anew',
      };
  }
}
