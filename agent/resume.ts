import { ok, type Result } from '../shared/failure.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import { whileOpen, type AgentHost, type OpenedHost } from './host.ts';
import { openMemory } from './memory.ts';
import { rebuild, type Rebuilt } from './rebuild.ts';

/** What `enroll --resume` did. */
export type Resumed =
  | { readonly did: 'nothing' }
  /** This machine goes on: the agent does the rest in its next cycle. */
  | { readonly did: 'decide' }
  | ({ readonly did: 'rebuild' } & Rebuilt);

/**
 * Says that this machine is the one that goes on with the host's state branch (S9): beside a running agent and offline
 * when its journal is there, else by taking the journal anew from the host's own good state.
 */
export async function resume(
  host: AgentHost,
  settings: AgentSettings,
  signal: AbortSignal,
): Promise<Result<Resumed>> {
  return whileOpen(host, settings, async (opened): Promise<Result<Resumed>> => {
    const journal = await opened.effects.journals.load();
    if (!journal.ok) return journal;
    if (journal.value !== null) return decide(host, opened, signal);
    const rebuilt = await rebuild(host, opened, settings, signal);
    return rebuilt.ok ? ok({ did: 'rebuild', ...rebuilt.value }) : rebuilt;
  });
}

/**
 * The journal keeps the decision for the next cycle. From here on this is another installation: what the other machine
 * writes later cannot be taken for this one's, nor the reverse, however long they do not meet.
 */
async function decide(
  { locks, random }: AgentHost,
  { effects: { journals } }: OpenedHost,
  signal: AbortSignal,
): Promise<Result<Resumed>> {
  const memory = await openMemory(journals, locks);
  if (!memory.ok) return memory;
  const held = await memory.value.hold(signal);
  if (!held.ok) return held;
  try {
    const { diverged } = memory.value.journal;
    if (diverged === null) return ok({ did: 'nothing' });
    if (diverged.goesOn) return ok({ did: 'decide' });
    const change = { installation: random.id(), diverged: { ...diverged, goesOn: true } };
    const written = await memory.value.write(change);
    return written.ok ? ok({ did: 'decide' }) : written;
  } finally {
    await memory.value.release();
  }
}
