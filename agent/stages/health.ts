import { breath } from '../../shared/cycle/confirm.ts';
import { fail, ok, type Failure, type Result, type Stage } from '../../shared/failure.ts';
import { demanded, type Baseline, type Findings } from '../../shared/health/baseline.ts';
import type { Check, Sight } from '../../shared/health/check.ts';
import { parseCommit } from '../../shared/objects/commit.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import { programPath } from '../../shared/program-path.ts';
import type { Context } from '../context.ts';
import type { HealthPlace } from '../health-ports.ts';
import { walk } from '../objects/walk.ts';

/** Milliseconds awake after which a server that cannot be reached is given up, though `timeouts.fetch` may be less. */
const longestReach = 60_000;

/** How well the machine is right before a switch: one try of each check, all at once. The head was just fetched. */
export async function takeBaseline(
  context: Context,
  checks: readonly Check[],
  revision: ObjectId,
): Promise<Result<Baseline>> {
  const { health } = context.effects('guard');
  const place = await placeFor(context, 'guard', checks, revision);
  const { signal } = context;
  const sights = await Promise.all(
    checks.map((check) => health.look(check, place, { timeout: check.timeout, signal })),
  );
  if (signal.aborted) return fail(stopped('looking at its health'));
  const failedUnits = await health.unwellUnits();
  return ok({ checks, good: sights.map(({ good }) => good), failedUnits, reached: true });
}

/**
 * Looks at everything that a generation has to show. Ends early, with a failure, when the agent shall stop.
 * @param patience milliseconds awake in which the server has to be reached, as for `reachServer`
 */
export async function examine(
  context: Context,
  baseline: Baseline,
  revision: ObjectId,
  patience?: number,
): Promise<Result<Findings>> {
  const checks = demanded(baseline);
  const place = await placeFor(context, 'confirm', checks, revision);
  const sights = await Promise.all(
    checks.map(async (check) => [check, await persist(context, check, place)] as const),
  );
  // After the checks: what fails while they soak has failed as well.
  const failedUnits = await context.effects('confirm').health.failedUnits();
  const isUnwell = sights.some(([, { good }]) => !good);
  const unreached =
    baseline.reached && !isUnwell ? await reachServer(context, 'confirm', patience) : undefined;
  if (context.signal.aborted) return fail(stopped('confirming a generation'));
  return ok({ sights, failedUnits, ...(unreached === undefined ? {} : { unreached }) });
}

/** Tries a check until it is good or its retries are used up; then it has to stay good through its soak. */
async function persist(context: Context, check: Check, place: HealthPlace): Promise<Sight> {
  const { health } = context.effects('confirm');
  const { signal, senses } = context;
  const look = () => health.look(check, place, { timeout: check.timeout, signal });
  let sight = await look();
  for (let tries = 0; !sight.good && tries < check.retries && !signal.aborted; tries += 1) {
    await health.pause({ timeout: breath, signal });
    sight = await look();
  }
  const end = senses.clock.awake() + check.soak;
  for (;;) {
    const left = end - senses.clock.awake();
    if (!sight.good || left <= 0 || signal.aborted) return sight;
    await health.pause({ timeout: Math.min(breath, left), signal });
    sight = await look();
  }
}

/**
 * Asks the server for its head, again and again for a while; why it could not be reached, if so.
 * @param patience milliseconds awake; a minute at most if not given
 */
export async function reachServer(
  context: Context,
  stage: 'confirm' | 'rollback',
  patience?: number,
): Promise<Failure | undefined> {
  const { git, health } = context.effects(stage);
  const { signal, senses, memory } = context;
  const longest = patience ?? Math.min(longestReach, memory.journal.pace.fetch);
  const end = senses.clock.awake() + longest;
  for (;;) {
    const left = Math.max(breath, end - senses.clock.awake());
    const head = await git.fetchHead({ timeout: left, signal });
    if (head.ok) return undefined;
    if (signal.aborted || senses.clock.awake() + breath >= end) return head.failure;
    await health.pause({ timeout: breath, signal });
  }
}

/** Commands come from the revision itself; its tree is written anew, for a crash may have left half of one. */
async function placeFor(
  context: Context,
  stage: Stage,
  checks: readonly Check[],
  revision: ObjectId,
): Promise<HealthPlace> {
  const { settings, root } = context;
  const env = {
    PATH: programPath,
    AUTARK_HOST: settings.host,
    AUTARK_REVISION: revision,
    AUTARK_ROOT: root,
  };
  if (checks.every(({ kind }) => kind !== 'command')) return { tree: null, env };
  const { git, trees } = context.effects(stage);
  const read = await git.read(revision);
  const commit = read.ok ? parseCommit(read.value.bytes) : read;
  // The check says so, and counts as bad: a generation that cannot be looked at must not hold up recovery for ever.
  if (!commit.ok) return { tree: null, env };
  const { tree, committer } = commit.value;
  const written = await trees.write(walk(git, tree), committer.seconds);
  return { tree: written.ok ? written.value : null, env };
}

/** Nothing is decided: the journal stands where it stood, and the next start enters the same phase. */
export function stopped(what: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${what} was stopped`,
    remedy: 'nothing: the agent finishes it when it starts again',
  };
}
