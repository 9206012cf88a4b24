import type { Aim } from '../../shared/cycle/aim.ts';
import { mayCorrect } from '../../shared/cycle/drift.ts';
import { failedBefore, refusal, triedOf } from '../../shared/cycle/failed.ts';
import { guard } from '../../shared/cycle/guard.ts';
import type { BuiltSystem } from '../../shared/cycle/journal.ts';
import type { Mode } from '../../shared/cycle/phase.ts';
import { trialMustWait } from '../../shared/cycle/reboot.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Host } from '../../shared/fleet/fleet.ts';
import { changedInhibitors, systemProblem, type SystemFacts } from '../../shared/nix/system.ts';
import type { Context } from '../context.ts';
import { hasAgentOf } from './agent-file.ts';

/** What spares a build: this very revision failed here before, whatever it would be built to. */
export function guardRevision({ memory }: Context, aim: Aim): Failure | undefined {
  const before = failedBefore(memory.journal, aim);
  return before === undefined ? undefined : refusal(before, aim);
}

/** Whether a built system may be activated now, and how; `unchanged` when it is what runs. */
export async function guardSystem(
  context: Context,
  built: BuiltSystem,
  host: Host,
  aim: Aim,
): Promise<Result<Mode | 'unchanged'>> {
  const { journal } = context.memory;
  const waits = trialMustWait(journal, aim);
  if (waits !== undefined) return fail(waits);
  const isRunning =
    guard(built, journal.running, aim) === 'unchanged' && (await hasAgentOf(context, built.agent));
  if (isRunning && !mayCorrect(journal, host.drift, aim)) return ok('unchanged');
  const before = failedBefore(journal, aim, triedOf(built, host));
  if (before !== undefined) return fail(refusal(before, aim));
  const mode = aim.isTrial ? 'test' : host.activate;
  return built.kind === 'exec' ? ok(mode) : guardNixos(context, built, host, mode);
}

/** How a generation that ran before is activated again by hand: now, unless it must not be switched to live. */
export function guardBack(
  context: Context,
  { kind, path }: BuiltSystem,
  name: string,
): Promise<Result<Mode>> {
  return kind === 'exec' ? Promise.resolve(ok('switch')) : guardNixos(context, { path }, { name }, 'switch');
}

/** A NixOS system says by itself that it must not be switched to live: then it becomes the boot default. */
async function guardNixos(
  context: Context,
  { path }: Pick<BuiltSystem, 'path'>,
  { name }: Pick<Host, 'name'>,
  mode: Mode,
): Promise<Result<Mode>> {
  const facts = await context.effects('guard').nix.inspect(path);
  const problem = systemProblem(facts, path);
  if (problem !== undefined) return fail(problem);
  const changed = mode === 'boot' ? [] : changedInhibitors(await factsOfWhatRuns(context), facts);
  if (changed.length === 0) return ok(mode);
  const names = changed.join(', ');
  if (mode === 'test') return fail(untestable(names, path));
  const message = `${names} must not change under a running system: this one becomes the boot default; reboot to run it`;
  context.senses.log({ kind: 'warning', host: name, message });
  return ok('boot');
}

/** Of the system that really runs, whoever switched to it. */
async function factsOfWhatRuns(context: Context): Promise<SystemFacts | null> {
  const { nix } = context.effects('guard');
  const path = (await nix.current()) ?? context.memory.journal.running?.path ?? null;
  return path === null ? null : nix.inspect(path);
}

function untestable(names: string, where: string): Failure {
  return {
    kind: 'held',
    cause: `it cannot be tried on the running system, because ${names} would change, which takes a reboot`,
    where,
    remedy: 'bring it to the configuration branch: it becomes the boot default there',
  };
}
