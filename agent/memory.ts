import { type Journal } from '../shared/cycle/journal.ts';
import { fail, ok, type Result } from '../shared/failure.ts';
import { type Journals, type Locks } from './ports.ts';

/** The journal while a cycle runs: what it says now, and the only way to change it. */
export interface Memory {
  readonly journal: Journal;
  /**
   * Takes `cycle.lock` and reads the journal anew: from here on this process acts. An idle poll never gets here,
   * so it leaves the disk alone. Again while held does nothing.
   */
  hold(signal: AbortSignal): Promise<Result<void>>;
  /** Writes the change to disk before it resolves. Changes made at once are written one after the other. */
  write(change: Partial<Journal>): Promise<Result<void>>;
  release(): Promise<void>;
}

/** How long to wait for another process that acts on this host, in milliseconds awake. */
const patience = 60_000;

/** Reads the journal. Without one, nobody knows what this machine did before, and nothing may follow (P4). */
export async function openMemory(journals: Journals, locks: Locks): Promise<Result<Memory>> {
  const first = await load(journals);
  return first.ok ? ok(keep(first.value, journals, locks)) : first;
}

function keep(first: Journal, journals: Journals, locks: Locks): Memory {
  let journal = first;
  let unlock: (() => Promise<void>) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const save = async (change: Partial<Journal>): Promise<Result<void>> => {
    if (unlock === undefined) throw new Error('the journal is written without holding cycle.lock');
    const changed = { ...journal, ...change };
    const saved = await journals.save(changed);
    // A change that could not be written is not remembered either.
    if (saved.ok) journal = changed;
    return saved;
  };
  return {
    get journal() {
      return journal;
    },
    async hold(signal) {
      if (unlock !== undefined) return ok(undefined);
      const held = await locks.acquire('cycle', { timeout: patience, signal });
      if (!held.ok) return held;
      unlock = held.value;
      const again = await load(journals);
      if (again.ok) journal = again.value;
      return again.ok ? ok(undefined) : again;
    },
    write(change) {
      const written = last.then(() => save(change));
      last = written.catch(() => undefined);
      return written;
    },
    async release() {
      await last;
      await unlock?.();
      unlock = undefined;
    },
  };
}

async function load(journals: Journals): Promise<Result<Journal>> {
  const loaded = await journals.load();
  if (!loaded.ok) return loaded;
  if (loaded.value !== null) return ok(loaded.value);
  return fail({
    kind: 'held',
    cause: 'this machine has no journal, so nothing is known of what it did before',
    where: 'var/lib/autark/journal.json',
    remedy: 'run `autark enroll` to make it known, or restore the file',
  });
}
