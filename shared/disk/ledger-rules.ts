import type { DeclaredStep, LedgerState, Run, StepEvidence, StepHost } from './evidence.ts';
import { isCount, isKnown, isList, isSame } from './known.ts';
import { refusing, type Refusal } from './refusal.ts';

/** Where the ledger lies, in messages. */
const file = 'ledger.age';
const say = refusing('S15', file);

/** A record of a host's own life, from the first one after its genesis (0) on. */
const firstRecord = 1;

/** Why nothing is known of what this host has done; empty when its ledger can be believed (S15). */
export function ledgerRefusals({ step, ledger, host }: StepEvidence): readonly Refusal[] {
  if (ledger === 'absent') {
    return [say('this host has no ledger, so nobody knows what it has done before', recover)];
  }
  if ('unreadable' in ledger) return [say(`the ledger cannot be read: ${ledger.unreadable}`, recover)];
  const whose = [ledger.fleet, ledger.host].map((name) => (isKnown(name) ? name : 'nobody'));
  return [
    ...stepRefusals(step),
    ...(isSame(ledger.fleet, host.fleet) && isSame(ledger.host, host.name)
      ? []
      : [
          say(
            `the ledger belongs to ${whose[1] ?? ''} in fleet ${whose[0] ?? ''}, not to this host`,
            recover,
          ),
        ]),
    ...(isSame(ledger.record, host.newest)
      ? []
      : [
          say(
            `the ledger is of the record ${named(ledger.record)}, and the newest is ${named(host.newest)}`,
            wait,
          ),
        ]),
    ...(ledger.begun === null || !isKnown(ledger.begun.installation) || !isCount(ledger.begun.seq)
      ? [say('the ledger does not say when it began', recover)]
      : []),
    ...(!isList(ledger.runs) ? [say('the ledger does not say which steps ran', recover)] : []),
  ];
}

/** What must be known of a step before the ledger can be asked about it. */
function stepRefusals(step: DeclaredStep | null): readonly Refusal[] {
  if (step === null) return [];
  const mend = 'mend how it is declared in fleet.yaml';
  return [
    ...(isKnown(step.name) ? [] : [say('nobody knows which step to look for', mend)]),
    ...(typeof step.isInherited === 'boolean'
      ? []
      : [say('nobody knows whether a machine before this one has done it', mend)]),
  ];
}

const recover =
  'run `autark doctor` on the machine; if its own copy is lost, `autark enroll --resume` takes it from its state branch';
const wait =
  'let the agent push and read its state branch again; `autark doctor` says what keeps it from that';

function named(record: string | null): string {
  return isKnown(record) ? record.slice(0, 12) : 'not known';
}

/** Why this host must run no step just now, whatever the ledger says. */
export function standingRefusals({ standing }: StepEvidence): readonly Refusal[] {
  if (standing === 'clear') return [];
  const state = refusing('S15');
  if (standing === null) {
    return [state('nobody knows whether this host may go on', 'run `autark doctor` on the machine')];
  }
  return standing.is === 'held'
    ? [
        state(
          `this host is held: ${standing.cause}`,
          'let it go on first; `autark status` says what holds it',
        ),
      ]
    : [
        state(
          `another machine writes this host’s state: ${standing.cause}`,
          'run `autark enroll --resume` on the machine that shall go on',
        ),
      ];
}

/**
 * Whether the ledger covers all that this host ever did: it began with the host's first record, in the installation that
 * made the genesis, and this is still that installation. Otherwise a step that it does not list is *unknown*.
 */
export function coversAll({
  ledger,
  host,
}: {
  readonly ledger: LedgerState;
  readonly host: StepHost;
}): boolean {
  if (ledger === 'absent' || 'unreadable' in ledger || ledger.begun === null) return false;
  const { seq, installation } = ledger.begun;
  return (
    isKnown(host.genesis) &&
    isCount(seq) &&
    seq <= firstRecord &&
    isSame(installation, host.genesisInstallation) &&
    isSame(host.installation, host.genesisInstallation)
  );
}

/** The runs of this step, the oldest first; none where the ledger says nothing: ask `ledgerRefusals` before. */
export function runsOf({ ledger, step }: Pick<StepEvidence, 'ledger' | 'step'>): readonly Run[] {
  return runsIn(ledger).filter((run) => isSame(run.step, step?.name));
}

/** The runs of all steps. */
export function runsIn(ledger: LedgerState): readonly Run[] {
  return ledger === 'absent' || 'unreadable' in ledger ? [] : (ledger.runs ?? []);
}

/** How the newest run of a step ended; a step that was once done stays done, whatever came after. */
export function newestOutcome(runs: readonly Run[]): Run['outcome'] | 'never' {
  if (runs.some(({ outcome }) => outcome === 'done')) return 'done';
  return runs.at(-1)?.outcome ?? 'never';
}
