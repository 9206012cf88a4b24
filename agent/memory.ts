import type { Journal } from '../shared/cycle/journal.ts';
import { fail, ok, type Result } from '../shared/failure.ts';
import type { Journals, Locks } from './ports.ts';

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
  /**
   * Lets a change reach the disk together with the next write, at the latest when the journal is released: for what
   * must be known before the next effect, and has none of its own.
   */
  remember(change: Partial<Journal>): void;
  release(): Promise<Result<void>>;
}

/** How long to wait for another process that acts on this host, in milliseconds awake. */
export const patience = 60_000;

/** Reads the journal. Without one, nobody knows what this machine did before, and nothing may follow (P4). */
export async function openMemory(journals: Journals, locks: Locks): Promise<Result<Memory>> {
  const first = await load(journals);
  return first.ok ? ok(keep(first.value, journals, locks)) : first;
}

function keep(first: Journal, journals: Journals, locks: Locks): Memory {
  let journal = first;
  let unlock: (() => Promise<void>) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  // How many changes are remembered, and how many of them are on disk.
  let remembered = 0;
  let written = 0;
  const save = async (change: Partial<Journal>): Promise<Result<void>> => {
    if (unlock === undefined) throw new Error('the journal is written without holding cycle.lock');
    const upTo = remembered;
    const saved = await journals.save({ ...journal, ...change });
    // A change that could not be written is not kept either; what was remembered meanwhile is.
    if (!saved.ok) return saved;
    journal = { ...journal, ...change };
    written = upTo;
    return saved;
  };
  const write = (change: Partial<Journal>): Promise<Result<void>> => {
    const saved = last.then(() => save(change));
    last = saved.catch(() => undefined);
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
      if (again.ok) {
        journal = again.value;
        return ok(undefined);
      }
      await unlock();
      unlock = undefined;
      return again;
    },
    write,
    remember(change) {
      journal = { ...journal, ...change };
      remembered += 1;
    },
    async release() {
      await last;
      try {
        return remembered > written && unlock !== undefined ? await write({}) : ok(undefined);
      } finally {
        // Also after a bug: the daemon lives on, and would wait for its own lock.
        await unlock?.();
        unlock = undefined;
      }
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
    remedy:
      'restore the file; or, if the key of this machine is still the one in fleet.yaml, run `autark enroll --resume`; ' +
      'on a machine that was never enrolled, run `autark enroll`',
  });
}
