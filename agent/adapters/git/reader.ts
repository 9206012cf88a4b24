import { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { ObjectId } from '../../../shared/objects/object.ts';
import { keepTail } from '../process/tail.ts';
import { endGroup } from '../process/group.ts';
import { launch } from '../process/run.ts';
import { batchParser, type Answer } from './batch.ts';
import { gitTask, type GitPost } from './command.ts';

export interface ReaderRules {
  readonly post: GitPost;
  /** Bytes above which an object is refused. */
  readonly cap: number;
  /** Milliseconds that one answer may take. */
  readonly patience: number;
}

/** An answer, or why there is none. */
export type Reading =
  Answer | { readonly kind: 'stopped'; readonly reason: string } | { readonly kind: 'closed' };

export interface Reader {
  ask(id: ObjectId): Promise<Reading>;
  /** Has a new process answer the next question that is asked while none is open. */
  renew(): void;
  /** Ends the process; open questions get no answer. The next question starts another. */
  close(): Promise<void>;
}

interface Question {
  readonly id: ObjectId;
  readonly answer: (reading: Reading) => void;
  /** How many processes ended with this question as the first unanswered one. */
  deaths: number;
}

interface Helper {
  readonly ask: (id: ObjectId) => void;
  /** Awake, it keeps the agent alive and must answer in time. */
  readonly busy: (is: boolean) => void;
  readonly stop: (grace: number) => Promise<void>;
}

/**
 * Objects by id through one `git cat-file --batch`, started when first asked, questions in a row. A process
 * that dies is started again; a question that ended two of them is given up, so the others get their answers.
 */
export function openReader(rules: ReaderRules): Reader {
  let queue: Question[] = [];
  let helper: Helper | null = null;
  let stale = false;

  function start(): Helper {
    stale = false;
    const started = startHelper(rules, {
      answered: (answer) => {
        const question = queue.shift();
        if (queue.length === 0) started.busy(false);
        question?.answer(answer);
        // What follows such an answer in the stream is of no use: the rest is asked anew.
        const unusable = answer.kind === 'too-large' || answer.kind === 'garbage';
        if (unusable || (stale && queue.length === 0)) replace(started);
      },
      died: (reason) => {
        const first = queue[0];
        if (helper !== started) return;
        if (first !== undefined && ++first.deaths > 1) {
          queue.shift();
          first.answer({ kind: 'stopped', reason });
        }
        replace(started);
      },
    });
    if (queue.length > 0) started.busy(true);
    for (const { id } of queue) started.ask(id);
    return started;
  }

  function replace(old: Helper): void {
    if (helper !== old) return;
    void old.stop(0);
    helper = null;
    if (queue.length > 0) helper = start();
  }

  return {
    ask: (id) =>
      new Promise((answer) => {
        queue.push({ id, answer, deaths: 0 });
        if (helper === null) {
          helper = start();
        } else {
          helper.busy(true);
          helper.ask(id);
        }
      }),
    renew() {
      stale = true;
      if (helper !== null && queue.length === 0) replace(helper);
    },
    async close() {
      const last = helper;
      const open = queue;
      helper = null;
      queue = [];
      if (last === null) return;
      for (const { answer } of open) answer({ kind: 'closed' });
      await last.stop(1000);
    },
  };
}

function startHelper(
  rules: ReaderRules,
  on: { answered: (answer: Answer) => void; died: (reason: string) => void },
): Helper {
  const child = launch(gitTask(rules.post, ['cat-file', '--batch']));
  const complaints = keepTail(2048);
  const streams = [child.stdin, child.stdout, child.stderr];
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    on.died(complaints.text().trim() || reason);
  };
  const unwind = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const wind = (): void => {
    unwind();
    timer = setTimeout(end, rules.patience, `no answer within ${Math.round(rules.patience / 1000)} s`);
  };
  const parse = batchParser(rules.cap, (answer) => {
    if (over) return;
    wind();
    on.answered(answer);
  });
  child.stdin.on('error', () => undefined);
  child.stdout.on('error', () => undefined).on('data', parse);
  child.stderr
    .on('error', () => undefined)
    .on('data', (chunk: Buffer) => {
      complaints.add(chunk);
    });
  // `close` comes after the last answer was read; a process that never began has only its result.
  if (child.pid === undefined)
    void child.then((result) => {
      end(result.shortMessage ?? 'git cannot be started');
    });
  else
    child.once('close', () => {
      end('git ended');
    });
  return {
    ask: (id) => child.stdin.write(`${id}\n`),
    busy: (is) => {
      if (!is) unwind();
      else if (timer === undefined) wind();
      for (const held of [child, ...streams]) hold(held, is);
    },
    stop: async (grace) => {
      over = true;
      clearTimeout(timer);
      child.stdin.end();
      if (child.pid !== undefined) await endGroup(child.pid, grace);
      for (const stream of streams) stream.destroy();
    },
  };
}

/** Pipes of a child are sockets (child_process): an idle one need not keep Node alive. */
function hold(handle: Readable | Writable | ChildProcess, is: boolean): void {
  if (!(handle instanceof ChildProcess || handle instanceof Socket)) return;
  if (is) handle.ref();
  else handle.unref();
}
