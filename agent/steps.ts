import type { Phase } from '../shared/cycle/phase.ts';
import type { Result } from '../shared/failure.ts';
import type { Context } from './context.ts';

export function stepEnded(context: Context, phase: Extract<Phase, { at: 'step' }>): Promise<Result<void>> {
  throw new Error(`${context.root} ${phase.name}`);
}
