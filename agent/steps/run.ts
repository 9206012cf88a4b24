import { refusing, type Refusal } from '../../shared/disk/refusal.ts';
import type { Step } from '../../shared/fleet/fleet.ts';
import { fail, isOfTheWorld, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { backupPath, ledgerPath } from '../../shared/record/sealed-part.ts';
import { programPath } from '../../shared/program-path.ts';
import { timestamp } from '../../shared/record/draft.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { withWithdrawn } from '../../shared/record/ledger-runs.ts';
import { heldMeanwhile } from '../by-hand.ts';
import { carryOn } from '../carry-on.ts';
import type { Context } from '../context.ts';
import { failed, finish, stopped, type Ended } from '../ending.ts';
import { walk } from '../objects/walk.ts';
import type { TreeEntry } from '../ports.ts';
import { saidByHand } from '../stages/by-hand.ts';
import { deliverRecords } from '../stages/deliver.ts';
import { sealedIn } from '../stages/ledger.ts';
import { settle } from '../stages/record.ts';
import type { Yields } from '../step-ports.ts';
import { begin } from './begin.ts';
import { keepExamined, lookClosely, type Looked } from './devices.ts';
import { recordResult, type Stepping } from './ended.ts';
import { destroys, foreseen, lastLook, type Ready } from './judge.ts';
import { again, refuse, refusedFailure } from './refuse.ts';

/**
 * Runs a step once: looks at what it destroys, backs that up, records the intent and reads it back from the server, looks
 * again, and only then starts the program; its result is recorded as well (S16 to S18). `done` when the next step may follow.
 */
export async function runStep(context: Context, ready: Ready): Promise<'done' | Ended> {
  const { step, aim, host } = ready;
  const reasons = await lacking(context, ready);
  if (reasons.length > 0)
    return refuse(context, aim, { step: step.name, host: host.name, reasons, isNews: false });
  const looked = await lookClosely(context, step.destroys);
  const before = destroys(ready) ? foreseen(context, ready, looked) : [];
  if (before.length > 0) return hold(context, ready, before, looked);
  const begun = await begin(context, ready, looked);
  if (!begun.ok) return withdraw(context, ready, begun.failure);
  if ('reasons' in begun.value) return hold(context, ready, begun.value.reasons, looked);
  const delivered = await deliverIntent(context, ready, begun.value.intent);
  const readAt = context.senses.clock.awake();
  const tree = delivered.ok ? await writeTree(context, ready) : delivered;
  if (!tree.ok) return withdraw(context, ready, tree.failure);
  const last = destroys(ready) ? await lastLook(context, ready, begun.value.backups, readAt) : [];
  if (last.length > 0) {
    return withdraw(context, ready, refusedFailure({ step: step.name, host: host.name, reasons: last }));
  }
  return start(context, ready, tree.value);
}

/** No push, no run: only once the server has shown this very record (S17). */
async function deliverIntent(context: Context, ready: Ready, intent: ObjectId): Promise<Result<void>> {
  const pushed = await deliverRecords(context);
  if (!pushed.ok) return pushed;
  const { tip, delivered, phase } = context.memory.journal;
  if (phase.at === 'idle' && tip === intent && delivered === intent) return isWhole(context, ready, intent);
  // What the server showed instead is gone on from first.
  const carried = await carryOn(context);
  return carried.ok ? fail(elsewhere(intent)) : carried;
}

/** What is on the server is the ledger with the intent, and every backup that it names: one that was lost here is not there either. */
async function isWhole(context: Context, ready: Ready, intent: ObjectId): Promise<Result<void>> {
  const { git, ledgers } = context.effects('step');
  const { fleet, host } = context.memory.journal;
  const ledger = await ledgers.load({ fleet, host });
  const sealed = await sealedIn(git, intent);
  if (!ledger.ok || !sealed.ok) return ledger.ok ? (sealed.ok ? ok(undefined) : sealed) : ledger;
  const backups = destroys(ready) ? Object.keys(ledger.value?.backups ?? {}) : [];
  const wanted = [ledgerPath, ...backups.map(backupPath)];
  const missing = wanted.find((path) => !sealed.value.has(path));
  return missing === undefined ? ok(undefined) : fail(lost(missing, intent));
}

function lost(path: string, intent: ObjectId): Failure {
  return {
    kind: 'step-refused',
    cause: `the record with which a step begins lacks ${path}`,
    where: intent,
    remedy:
      'run `autark doctor` on the machine; what was lost is taken anew when its disks are looked at again',
  };
}

function elsewhere(intent: ObjectId): Failure {
  return {
    kind: 'push-refused',
    cause: 'the server showed other records of this host than the one that a step begins with',
    where: intent,
    remedy: 'the step did not begin; it is tried again once the server has all records',
  };
}

/** The program and its files alone; only now, for a record takes away what lies there. */
function writeTree(context: Context, { step, verified }: Ready): Promise<Result<string>> {
  const { trees, git } = context.effects('step');
  const entries = only(walk(git, verified.tree), [step.run, ...step.files]);
  return trees.write(entries, verified.commit.committer.seconds);
}

/** From here on it runs, whatever becomes of the agent. */
async function start(context: Context, ready: Ready, cwd: string): Promise<'done' | Ended> {
  const { step, verified, known } = ready;
  const { memory, signal } = context;
  const { revision } = verified;
  const name = `step-${memory.journal.seq}`;
  const phase: Stepping = { at: 'step', step: step.name, name, revision, timeout: step.timeout };
  // `hold` writes first and looks at the journal then, and we the other way round, as before a switch.
  const noted = await memory.write({ phase });
  if (!noted.ok) return withdraw(context, ready, noted.failure);
  const byHand = await saidByHand(context, 'switch');
  if (byHand !== null) return heldAtLast(context, ready);
  const ended = await context.effects('step').steps.run(
    {
      ...{ name, file: `${cwd}/${step.run}`, cwd },
      env: environment(context, ready),
      credentials: step.credentials,
      earlier: earlierYields(known.ledger),
      reachesDevices: destroys(ready),
      onStart: (child) => memory.write({ phase: { ...phase, ...(child === undefined ? {} : { child }) } }),
    },
    { timeout: step.timeout, signal },
  );
  if (ended.how === 'left') return { code: 0, next: 'stop' };
  const recorded = await recordResult(context, phase, ended);
  const carried = recorded.ok ? await carryOn(context) : recorded;
  return carried.ok ? 'done' : failed(context, 'step', carried.failure);
}

function environment({ root }: Context, { step, host, verified }: Ready): Readonly<Record<string, string>> {
  return {
    PATH: programPath,
    AUTARK_HOST: host.name,
    AUTARK_GROUPS: host.groups.join(' '),
    AUTARK_REVISION: verified.revision,
    AUTARK_ROOT: root,
    AUTARK_STEP: step.name,
  };
}

async function lacking(context: Context, { step, host }: Ready): Promise<readonly Refusal[]> {
  const names = await context.effects('step').steps.lacking(step.credentials);
  const say = refusing('S19', `fleet.yaml, step ${step.name} of ${host.name}`);
  const remedy =
    'on the machine: stop the agent, run `autark agent --once` with these variables in its environment, start the agent again';
  return names.map((name) => say(`the credential ${name} was not given to this run of the agent`, remedy));
}

/** What of a tree a step may read, with the folders that lead there. */
async function* only(
  entries: AsyncIterable<Result<TreeEntry>>,
  paths: readonly string[],
): AsyncGenerator<Result<TreeEntry>> {
  const wanted = paths.map((path) =>
    path
      .split('/')
      .filter((name) => name !== '' && name !== '.')
      .join('/'),
  );
  const isWanted = ({ kind, path }: TreeEntry): boolean =>
    wanted.some(
      (each) =>
        path === each || path.startsWith(`${each}/`) || (kind === 'directory' && each.startsWith(`${path}/`)),
    );
  for await (const entry of entries) if (!entry.ok || isWanted(entry.value)) yield entry;
}

/** Keeps what was seen and refuses: a person who approves has to see it. */
async function hold(
  context: Context,
  { step, host, aim }: Ready,
  reasons: readonly Refusal[],
  looked: Looked,
): Promise<Ended> {
  const isNews = await keepExamined(context, looked);
  return refuse(context, aim, { step: step.name, host: host.name, reasons, isNews });
}

/** Held by hand, as it would be between two steps: whoever resumes it has it go on at once. */
async function heldAtLast(context: Context, { step, aim }: Ready): Promise<Ended> {
  const undone = await context.memory.write({ phase: { at: 'idle' } });
  const withdrawn = undone.ok ? await withdrawIntent(context, step) : undone;
  if (!withdrawn.ok) return failed(context, 'step', withdrawn.failure);
  return (await heldMeanwhile(context, aim)) ?? stopped(context, true);
}

/** This process knows that it did not start the program: its intent is withdrawn, in a record that says why. */
async function withdraw(context: Context, { step, aim }: Ready, failure: Failure): Promise<Ended> {
  const withdrawn = await withdrawIntent(context, step);
  if (!withdrawn.ok) return failed(context, 'step', withdrawn.failure);
  // Where there is no intent yet, there is nothing to say either.
  if (!withdrawn.value) return failed(context, 'step', failure);
  const { running } = context.memory.journal;
  const happening = { event: 'held', failure, stage: 'step', running, step: step.name } as const;
  const settled = await settle(context, aim, happening, {}, context.senses.clock.now() + again);
  const noted = settled.ok ? await carryOn(context) : settled;
  if (!noted.ok) return failed(context, 'step', noted.failure);
  return isOfTheWorld(failure.kind) ? failed(context, 'step', failure) : finish(context);
}

/** False where the ledger has no intent. */
async function withdrawIntent(context: Context, step: Step): Promise<Result<boolean>> {
  const { memory, effects, senses } = context;
  const { fleet, host } = memory.journal;
  const { ledgers } = effects('step');
  const known = await ledgers.load({ fleet, host });
  const ledger = known.ok ? known.value : null;
  const next = ledger === null ? null : withWithdrawn(ledger, step.name, timestamp(senses.clock.now()));
  if (ledger === null || next === null || next === ledger) return ok(false);
  const kept = await ledgers.keep(next, [], ledger);
  const carried = kept.ok ? await carryOn(context) : kept;
  return carried.ok ? ok(true) : carried;
}

/** What steps before this one yielded, of their newest runs that are done. */
function earlierYields(ledger: Ledger | null): ReadonlyMap<string, Yields> {
  const found = new Map<string, Yields>();
  for (const { step, outcome, yields = {} } of ledger?.runs ?? []) {
    if (outcome !== 'done') continue;
    const files = Object.entries(yields).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const);
    found.set(step, new Map(files));
  }
  return found;
}
