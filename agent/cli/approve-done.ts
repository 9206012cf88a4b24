import type { Host } from '../../shared/fleet/fleet.ts';
import { ok, sentence, type Failure, type Result } from '../../shared/failure.ts';
import { realRuns } from '../../shared/record/ledger-runs.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { readLedger } from './ledger.ts';
import { openSealed, openState } from './state-opening.ts';
import type { Arguments, Context } from './verb.ts';

/**
 * The steps that a machine which takes over a name inherits: those that the machine before has begun, by its ledger, declared just
 * now or not. Where that cannot be opened, all that are declared: what is not known to be undone is not done again (S15, P4).
 */
export async function inheritedSteps(host: Host | undefined, call: Call): Promise<readonly string[]> {
  if (host === undefined) return [];
  const declared = host.steps.map(({ name }) => name);
  const begun = await begunSteps(call);
  if (begun.ok && begun.value !== null) return [...new Set([...host.done, ...begun.value])];
  // A host of a fleet without steps has none, and that is no news.
  if (!begun.ok || declared.length > 0) {
    sayUnknown(call, declared, begun.ok ? nothing(host.name) : begun.failure);
  }
  return [...new Set([...host.done, ...declared])];
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

/** `null` where the host has no ledger. */
async function begunSteps(call: Call): Promise<Result<readonly string[] | null>> {
  const state = await openState(call);
  if (!state.ok) return state;
  const opened = await openSealed(state.value, ledgerPath, call);
  if (!opened.ok) return opened;
  if (opened.value === null) return ok(null);
  const ledger = readLedger(state.value, opened.value);
  return ledger.ok ? ok([...new Set(realRuns(ledger.value).map(({ step }) => step))]) : ledger;
}

function nothing(host: string): Failure {
  return { kind: 'unexpected', cause: `${host} has no ledger`, remedy: 'look at what it did before' };
}
