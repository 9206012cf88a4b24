import { isObjectId, objectId, type ObjectId } from '../../../shared/objects/object.ts';
import type { Git } from '../../git-ports.ts';
import { endGroup } from '../process/group.ts';
import { launch } from '../process/run.ts';
import { batchParser } from './batch.ts';
import { gitTask } from './command.ts';
import type { ReaderRules } from './reader.ts';

export interface Ahead {
  readonly read: Git['readAhead'];
  /** Ends the processes; whoever waits for them is let go. */
  close(): Promise<void>;
}

/**
 * Commits of a history and their root trees, many at a time: `git rev-list` names them and `git cat-file --batch
 * --buffer` writes them out, neither of which waits for an answer of ours. One question at a time costs four times as
 * much, nearly all of it in two processes waking each other. Nothing is kept: each object is handed on as it comes.
 */
export function openAhead(rules: ReaderRules): Ahead {
  const running = new Set<Pair>();
  return {
    async read(head, bases, take) {
      // Anything else could say more to git than a name.
      if (![head, ...bases].every(isObjectId)) return;
      const pair = startPair(rules, head, bases);
      running.add(pair);
      try {
        await listen(pair, rules, take);
      } finally {
        running.delete(pair);
        await pair.stop();
      }
    },
    async close() {
      await Promise.all([...running].map((pair) => pair.stop()));
    },
  };
}

type Process = ReturnType<typeof launch>;

interface Pair {
  readonly lister: Process;
  readonly reader: Process;
  readonly stop: () => Promise<void>;
}

function startPair({ post }: ReaderRules, head: ObjectId, bases: readonly ObjectId[]): Pair {
  // Into a pipe git writes each name by itself unless it is told not to (git(1), GIT_FLUSH): a switch of processes each.
  const buffered = { ...post, env: { ...post.env, GIT_FLUSH: '0' } };
  const start = (...args: readonly string[]): Process => launch(gitTask(buffered, args));
  const range = [head, ...bases.map((base) => `^${base}`), '--'];
  const lister = start('rev-list', '--no-commit-header', '--format=%H%n%T', ...range);
  const reader = start('cat-file', '--batch', '--buffer');
  return {
    lister,
    reader,
    async stop() {
      for (const { pid, stdin, stdout, stderr } of [lister, reader]) {
        if (pid !== undefined) await endGroup(pid, 0);
        for (const stream of [stdin, stdout, stderr]) stream.destroy();
      }
    },
  };
}

/** Until the reader has written all that the lister named, or either of them ends, hangs or cannot be understood. */
function listen(
  { lister, reader }: Pair,
  { cap, patience }: ReaderRules,
  take: Parameters<Git['readAhead']>[2],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, patience);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const parse = batchParser(cap, (answer) => {
      if (answer.kind === 'too-large' || answer.kind === 'garbage') end();
      if (answer.kind !== 'object') return;
      const { id, type, bytes } = answer;
      // Only bytes whose hash is their name are that object (S5).
      if (objectId({ type, bytes }) === id) take(id, { type, bytes });
    });
    for (const { stdin, stdout, stderr } of [lister, reader]) {
      for (const stream of [stdin, stdout, stderr]) stream.on('error', end);
      stdout.on('data', () => timer.refresh());
      stderr.resume();
    }
    // It comes after the last of its output, and when nothing of it is left to be ended.
    reader.once('close', end);
    reader.stdout.on('data', (chunk: Buffer) => {
      try {
        parse(chunk);
      } catch (error) {
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    if (lister.pid === undefined || reader.pid === undefined) end();
    lister.stdin.end();
    lister.stdout.pipe(reader.stdin);
  });
}
