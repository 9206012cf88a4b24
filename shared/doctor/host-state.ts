import type { Journal, Standing } from '../cycle/journal.ts';
import type { Failure, Result } from '../failure.ts';
import { advice, notWell, trouble, unknown, well, type Checked } from './checked.ts';

/** Who the agent's files belong to, and who asks; user ids. */
export interface UserFacts {
  readonly own: number;
  /** The owner of the state folder; `null` when there is none. */
  readonly owner: number | null;
}

/** Whoever is not the agent's user sees half of it, and would take what he may not read for broken. */
export function checkUser({ own, owner }: UserFacts, state: string): readonly Checked[] {
  if (owner === null || owner === own) return [];
  const cause = `doctor runs as the user ${own}, and the agent's files belong to the user ${owner}: it cannot see what the agent sees`;
  const remedy = 'run it as that user (sudo autark doctor)';
  return [notWell('user', { kind: 'usage', cause, where: state, remedy })];
}

/** Whether there is a journal that the agent believes. */
export function checkJournal(journal: Result<Journal | null>, path: string): readonly Checked[] {
  if (!journal.ok) return [notWell('journal', journal.failure)];
  if (journal.value === null) return [notWell('journal', noJournal(path))];
  const { seq, approved, accepted } = journal.value;
  const revision = accepted === null ? 'no revision yet' : accepted.slice(0, 7);
  return [
    approved
      ? well('journal', `record ${seq}, accepted ${revision}`)
      : advice('journal', {
          cause: 'this machine is not approved yet',
          where: path,
          remedy: 'run the `autark approve` line that `autark enroll` printed, in a clone, and push',
        }),
  ];
}

function noJournal(where: string): Failure {
  return {
    kind: 'held',
    cause: 'there is no journal: this host does nothing (P4)',
    where,
    remedy:
      'a new machine: finish `autark enroll`; one that lost its journal and kept its key: `autark enroll --resume`',
  };
}

/** What the agent last found, in its own words, with what to do about a code like that. */
export function checkStanding(journal: Journal): readonly Checked[] {
  const { diverged, approved, standing, trial, heldByHand } = journal;
  const found: Checked[] = [];
  if (approved && diverged !== null && !diverged.goesOn) {
    found.push(
      notWell('state', {
        kind: 'diverged',
        cause: diverged.cause,
        where: diverged.where,
        remedy:
          'stop the machine that shall not go on, and run `autark enroll --resume` on the one that shall; nothing is pushed until then',
      }),
    );
  }
  for (const each of [standing, trial]) {
    if (each !== null && each.code !== 0) found.push(stands(each, heldByHand));
  }
  if (found.length > 0) return found;
  if (standing === null) return [unknown('state', 'the agent has judged no revision yet')];
  return [well('state', `${standing.event} at ${standing.head.slice(0, 7)}`)];
}

/** What somebody wanted is no illness. */
function stands({ event, code, cause, head }: Standing, isByHand: boolean): Checked {
  if (event === 'paused' || event === 'retired') return well('state', cause);
  const known = remedies.find(([codes]) => codes.includes(code))?.[1] ?? 'look at the log of the agent';
  const remedy = isByHand && event === 'held' ? 'run `autark resume` once it may go on' : known;
  const finding = { rule: 'state', code, where: head, cause, remedy };
  return { rule: 'state', is: 'not-well', finding };
}

/** By exit code (docs/contract.md): a journal remembers what was found, not what was advised. */
const remedies: readonly (readonly [readonly number[], string])[] = [
  [[10], 'see what it waits for: approve the host, name it in fleet.yaml, or lift its pause, and push'],
  [[20], '`autark verify` in a clone names the commit; sign on top of what is authentic, and push'],
  [[21], 'mend fleet.yaml or the tree as said, and push'],
  [[22], 'put the right key or agent.yaml onto this machine, or mend the entry of this host in fleet.yaml'],
  [
    [30, 31],
    'the output is in the newest record (autark log HOST in a clone); mend it and push; the old system runs on',
  ],
  [
    [40, 41],
    'the output is in the newest record (autark log HOST in a clone); look at this machine, mend it and push',
  ],
  [
    [60, 61],
    '`autark ledger show HOST` in a clone says what became of its steps, and `autark step approve` what is missing',
  ],
  [
    [62],
    'mend what is said of it; where the secret itself is at fault: `autark rekey` or `autark secret set`, and push',
  ],
  [[52], 'make room (df -h, df -i); the agent tries again by itself'],
];

export type DaemonFacts =
  | { readonly is: 'running'; readonly pid: number }
  /** It left its lock behind: it was killed, or the machine lost power. */
  | { readonly is: 'dead' | 'none' }
  | { readonly is: 'hidden'; readonly why: string };

/** Whether an agent is at work, and what it left if not. */
export function checkDaemon(
  daemon: DaemonFacts,
  phase: Journal['phase']['at'] | null,
  lock: string,
): readonly Checked[] {
  if (daemon.is === 'hidden') return [unknown('agent', `its lock cannot be read: ${daemon.why}`)];
  if (daemon.is === 'running') return [well('agent', `it runs (process ${daemon.pid})`)];
  const begun = phase === null || phase === 'idle' ? '' : `, and left a ${phase} unfinished`;
  const cause = daemon.is === 'dead' ? `the agent was killed${begun}` : `no agent runs${begun}`;
  const remedy =
    'start it: `autark agent`, or its unit where it has one; it finishes or undoes by itself what was begun';
  return [notWell('agent', trouble(cause, lock, remedy))];
}
