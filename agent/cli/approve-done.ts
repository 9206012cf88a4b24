import type { Host } from '../../shared/fleet/fleet.ts';
import { ok, sentence, type Failure, type Result } from '../../shared/failure.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { realRuns } from '../../shared/record/ledger-runs.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { readLedger } from './ledger.ts';
import { openSealed, openState } from './state-opening.ts';
import type { Arguments, Context } from './verb.ts';

/**
 * The steps that a machine which takes over a name inherits: those that the machine before has begun, by its ledger, declared just
 * now or not. Where that cannot be opened, or does not say all, those that are declared as well: what is not known to be undone
 * is not done again (S15, P4).
 */
export async function inheritedSteps(host: Host | undefined, call: Call): Promise<readonly string[]> {
  if (host === undefined) return [];
  const declared = host.steps.map(({ name }) => name);
  const ledger = await ledgerOf(call);
  const begun = ledger.ok && ledger.value !== null ? realRuns(ledger.value).map(({ step }) => step) : [];
  const known = [...new Set([...host.done, ...begun])];
  const gap = ledger.ok ? gapIn(ledger.value, host.name) : ledger.failure;
  if (gap === undefined) return known;
  // A host of a fleet without steps has no ledger, and that is no news.
  if (declared.length > 0 || !ledger.ok || ledger.value !== null) sayUnknown(call, declared, gap);
  return [...new Set([...known, ...declared])];
}

interface Call {
  readonly args: Arguments;
  readonly context: Context;
}

function sayUnknown({ context: { terminal } }: Call, declared: readonly string[], failure: Failure): void {
  terminal.note(`autark: what the machine before did is not known: ${sentence(failure)}`);
  terminal.note(
    declared.length === 0
      ? 'autark: no step is declared; before one of its steps is declared again, write it into `done`'
      : `autark: so all its steps count as done (${declared.join(', ')}); take out of \`done\` what the new one is to do`,
  );
}

/** `null` where the host has none. */
async function ledgerOf(call: Call): Promise<Result<Ledger | null>> {
  const state = await openState(call);
  if (!state.ok) return state;
  const opened = await openSealed(state.value, ledgerPath, call);
  if (!opened.ok) return opened;
  if (opened.value === null) return ok(null);
  return readLedger(state.value, opened.value);
}

/** Why it does not say all that the host ever did, if so: only one that began with its first record does (S15). */
function gapIn(ledger: Ledger | null, host: string): Failure | undefined {
  if (ledger?.begun.seq === 1) return undefined;
  const cause =
    ledger === null ? `${host} has no ledger` : `the ledger of ${host} began with record ${ledger.begun.seq}`;
  return { kind: 'unexpected', cause, remedy: 'look at what it did before' };
}
