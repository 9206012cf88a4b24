import type { Phase, Running } from '../../shared/cycle/journal.ts';
import type { Result } from '../../shared/failure.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { Context } from '../context.ts';
import { settle } from './record.ts';

/**
 * A generation whose activation succeeded becomes the last good one. So far an activation's exit code is all the
 * proof there is.
 */
export async function confirm(
  context: Context,
  phase: Extract<Phase, { at: 'confirm' }>,
): Promise<Result<void>> {
  const { systems, machine } = context.effects('confirm');
  const { memory, senses } = context;
  const generation = (await systems.generations()).find(({ number }) => number === phase.to);
  const { boot } = await machine.facts(memory.journal.fleet);
  const running: Running | null =
    generation === undefined
      ? memory.journal.running
      : {
          kind: generation.kind,
          path: generation.path,
          digest: generation.digest,
          ...(generation.inputs === undefined ? {} : { inputs: generation.inputs }),
          generation: generation.number,
          revision: phase.revision,
          since: timestamp(senses.clock.now()),
        };
  const asksForReboot = phase.exit === 100 || phase.mode === 'boot';
  return settle(
    context,
    phase.revision,
    { event: 'deployed', running },
    {
      running,
      previous: phase.from,
      lastGood: phase.to,
      rebootRequired: asksForReboot ? boot : memory.journal.rebootRequired,
    },
  );
}
