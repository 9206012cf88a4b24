import type { Phase } from './phase.ts';

/** What a switch hands from phase to phase until it is settled. */
export type Carried = Pick<
  Extract<Phase, { at: 'confirm' }>,
  'before' | 'agentBefore' | 'left' | 'baseline' | 'tried' | 'waitsIn'
>;

/** As much of it as a phase has: what an older agent did not write stays absent. */
export function carriedBy({ before, agentBefore, left, baseline, tried, waitsIn }: Carried): Carried {
  return {
    ...(before === undefined ? {} : { before }),
    ...(agentBefore === undefined ? {} : { agentBefore }),
    ...(left === undefined ? {} : { left }),
    ...(baseline === undefined ? {} : { baseline }),
    ...(tried === undefined ? {} : { tried }),
    ...(waitsIn === undefined ? {} : { waitsIn }),
  };
}
