import type { Host } from '../../shared/fleet/fleet.ts';
import { sentence } from '../../shared/failure.ts';
import { realRuns } from '../../shared/record/ledger-runs.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { readLedger } from './ledger.ts';
import { openSealed, openState } from './state-opening.ts';
import type { Arguments, Context } from './verb.ts';

/**
 * The steps that a machine which takes over a name inherits: those that the machine before has begun, by its ledger. Where that
 * cannot be opened, all that are declared: what is not known to be undone is not done again (S15, P4).
 */
export async function inheritedSteps(
  host: Host | undefined,
  call: { readonly args: Arguments; readonly context: Context },
): Promise<readonly string[]> {
  if (host === undefined || host.steps.length === 0) return host?.done ?? [];
  const declared = host.steps.map(({ name }) => name);
  const begun = await begunSteps(call);
  const { terminal } = call.context;
  if (!begun.ok) {
    terminal.note(`autark: what the machine before did is not known: ${sentence(begun.failure)}`);
    terminal.note(
      `autark: so all its steps count as done (${declared.join(', ')}); take out of \`done\` what the new one is to do`,
    );
  }
  const names = begun.ok ? begun.value : declared;
  return [...new Set([...host.done, ...names])];
}

async function begunSteps(call: Parameters<typeof inheritedSteps>[1]) {
  const state = await openState(call);
  if (!state.ok) return state;
  const opened = await openSealed(state.value, ledgerPath, call);
  if (!opened.ok) return opened;
  if (opened.value === null) return { ok: false, failure: nothing(state.value.host) } as const;
  const ledger = readLedger(state.value, opened.value);
  if (!ledger.ok) return ledger;
  return { ok: true, value: [...new Set(realRuns(ledger.value).map(({ step }) => step))] } as const;
}

function nothing(host: string) {
  return {
    kind: 'unexpected',
    cause: `${host} has no ledger`,
    remedy: 'look at what it did before',
  } as const;
}
