import type { BuiltSystem, Running } from './journal.ts';

export type Guarded = 'switch' | 'unchanged';

/**
 * Whether a built system is to be activated at all. One that is the same as what runs is not, so that a host
 * which a revision does not concern is left alone.
 */
export function guard(built: BuiltSystem, running: Running | null): Guarded {
  const isSame = running !== null && running.kind === built.kind && running.digest === built.digest;
  return isSame ? 'unchanged' : 'switch';
}

/** What runs after a switch that could neither be finished nor undone: equal to nothing that is ever built. */
export function uncertain(running: Running | null): Running | null {
  if (running === null) return null;
  return { ...withoutInputs(running), digest: 'uncertain' };
}

/** The same without the key of its inputs: then the next revision is built, whatever it touches. */
export function withoutInputs(running: Running): Omit<Running, 'inputs'> {
  const { kind, path, digest, generation, revision, since } = running;
  return { kind, path, digest, generation, revision, since };
}
