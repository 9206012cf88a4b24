import { parseApproval, type StepApproval } from '../../shared/disk/approval.ts';
import type { DeclaredStep, LedgerState, StepEvidence, StepHost } from '../../shared/disk/evidence.ts';
import { filesDigest, type StepFile } from '../../shared/disk/step-files.ts';
import { ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Host, Step } from '../../shared/fleet/fleet.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { realRuns } from '../../shared/record/ledger-runs.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { readRecord } from '../../shared/record/tip.ts';
import type { Context } from '../context.ts';
import { knownLedger, recordedLedger } from '../stages/known-ledger.ts';
import { lookUp, readBytes, readFound } from '../objects/read.ts';
import type { Verified } from '../stages/verify.ts';

/** A step that is to be judged, and where it is declared. */
export interface Judged {
  readonly step: Step;
  readonly host: Host;
  readonly verified: Verified;
}

/** What is known of a step right now. */
export interface Known {
  readonly evidence: StepEvidence;
  /** `null` where there is none that can be believed. */
  readonly ledger: Ledger | null;
  /** Why `approved` counts for nothing, where it is written and cannot be read. */
  readonly problem: string | null;
  /** Why the program could not run, or what it is to read is missing; `null` when all is there. */
  readonly flaw: Failure | null;
}

/**
 * Gathers what a step is judged by. What cannot be found out is `null` in it, and refuses; a failure says that the revision cannot
 * be read just now.
 */
export async function evidenceOf(context: Context, { step, host, verified }: Judged): Promise<Result<Known>> {
  const declared = await declaredStep(context, { step, host, verified });
  if (!declared.ok) return declared;
  const known = await knownLedger(context);
  // Nothing may be recorded while nobody knows whether this copy is the newest: the record would make it that.
  if (!known.ok && known.failure.kind === 'unreachable') return known;
  const ledger = known.ok ? known.value : null;
  const approval = approvalOf(step);
  return ok({
    ledger,
    flaw: declared.value.flaw,
    problem: approval.ok ? null : approval.failure,
    evidence: {
      step: declared.value.step,
      host: await stepHost(context, { host, verified }),
      ledger: known.ok ? await ledgerState(context, known.value) : { unreadable: known.failure.cause },
      approval: approval.ok ? approval.value : null,
      // A trial, a hold, a pause and a file for a newer autark never come here; a divergence ends the delivery before a run.
      standing: context.memory.journal.diverged === null ? 'clear' : diverged(context),
    },
  });
}

function diverged({ memory }: Context) {
  return { is: 'diverged', cause: memory.journal.diverged?.cause ?? 'two lives of this host' } as const;
}

function approvalOf({ approved }: Step): Result<StepApproval | null, string> {
  return approved === undefined ? ok(null) : parseApproval(approved);
}

/** The program of a step that is done may be gone from the tree: only one that is to run needs it. */
async function declaredStep(
  context: Context,
  { step, host, verified }: Judged,
): Promise<Result<{ readonly step: DeclaredStep; readonly flaw: Failure | null }>> {
  const { git } = context.effects('step');
  const { name, run, files, destroys } = step;
  const program = await lookUp(git, verified.tree, run);
  if (!program.ok) return program;
  const isProgram = program.value?.mode === '100755';
  let flaw = isProgram ? null : noProgram(run, program.value !== null);
  const found: StepFile[] = [];
  for (const path of files) {
    const item = await lookUp(git, verified.tree, path);
    if (!item.ok) return item;
    if (item.value === null) flaw ??= noFile(path, { step, host });
    else found.push({ path, mode: item.value.mode, id: item.value.id });
  }
  const declared: DeclaredStep = {
    ...{ name, destroys, isInherited: host.done.includes(name) },
    program: isProgram ? program.value.id : null,
    files: found.length === files.length ? filesDigest(found) : null,
  };
  return ok({ step: declared, flaw });
}

async function stepHost(
  { memory, effects }: Context,
  { host, verified }: Omit<Judged, 'step'>,
): Promise<StepHost> {
  const { genesis, installation, tip } = memory.journal;
  const isPinned = host.genesis === undefined || host.genesis === genesis;
  const found = isPinned ? await readFound(effects('step').git, genesis) : null;
  const record = found?.ok === true ? readRecord(found.value) : null;
  return {
    fleet: verified.fleet.fleet,
    name: host.name,
    key: host.key ?? null,
    genesis: isPinned ? genesis : null,
    genesisInstallation: record?.ok === true ? record.value.status.installation : null,
    installation,
    newest: tip,
  };
}

async function ledgerState(context: Context, ledger: Ledger | null): Promise<LedgerState> {
  if (ledger === null) return 'absent';
  const { fleet, host, begun } = ledger;
  const { seq, installation } = begun;
  const runs = realRuns(ledger);
  return { fleet, host, begun: { seq, installation }, runs, record: await recordOf(context, ledger) };
}

/**
 * The record that knows of the same runs as the ledger that is kept here: the newest one, or `null`. Before the first record
 * there is none to compare with, and a ledger that this installation began says all.
 */
async function recordOf(context: Context, ledger: Ledger): Promise<string | null> {
  const { seq, tip, installation, fleet, host } = context.memory.journal;
  const runs = JSON.stringify(ledger.runs ?? []);
  if (seq === 0) {
    // With another key the same life begins a new chain.
    return ledger.begun.installation === installation && ledger.begun.seq === 1 ? tip : null;
  }
  const parts = context.effects('step');
  const recorded = await recordedLedger(parts, tip);
  if (!recorded.ok || recorded.value === null) return null;
  const kept = await parts.ledgers.ids();
  if (kept.ok && kept.value[ledgerPath] === recorded.value) return tip;
  const bytes = await readBytes(parts.git, recorded.value, 'blob');
  const opened = bytes.ok ? await parts.ledgers.open(bytes.value, { fleet, host }) : bytes;
  return opened.ok && JSON.stringify(opened.value.runs ?? []) === runs ? tip : null;
}

function noProgram(run: string, isThere: boolean): Failure {
  return {
    kind: 'step-refused',
    cause: isThere
      ? 'the program of a step is not an executable file'
      : 'the program of a step is not in this revision',
    where: run,
    remedy: isThere ? `run \`chmod +x ${run}\`, commit and push` : 'add it and push',
  };
}

function noFile(path: string, { step, host }: Omit<Judged, 'verified'>): Failure {
  return {
    kind: 'step-refused',
    cause: `the file ${path} is not in this revision`,
    where: `fleet.yaml, step ${step.name} of ${host.name}`,
    remedy: 'add it, or correct `files`, and push',
  };
}
