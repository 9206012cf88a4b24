import type { BuiltSystem } from '../../shared/cycle/journal.ts';
import { inputsKey } from '../../shared/cycle/inputs.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import { programPath } from '../../shared/program-path.ts';
import type { Context } from '../context.ts';
import type { Ran } from '../ports.ts';
import { blame } from './no-space.ts';
import { lookUp } from '../objects/read.ts';
import { reasonOf } from './activation.ts';
import { walk } from '../objects/walk.ts';
import type { Verified } from './verify.ts';

export type ExecSource = Extract<SystemSource, { kind: 'exec' }>;

/** Bytes that a build may print; the end of it is kept for the failure. */
const outputCap = 64 * 2 ** 20;

/** Runs the host's own build program. */
export async function buildExec(
  context: Context,
  verified: Verified,
  host: Host,
  source: ExecSource,
): Promise<Result<BuiltSystem>> {
  const inputs = await inputsOf(context, verified, host, source);
  if (!inputs.ok) return inputs;
  const { running } = context.memory.journal;
  if (running?.inputs !== undefined && running.inputs === inputs.value) {
    return ok({ kind: 'exec', path: running.path, digest: running.digest, inputs: running.inputs });
  }
  const tree = await writeTree(context, verified, source);
  if (!tree.ok) return tree;
  const built = await runBuild(context, verified, host, source, tree.value);
  if (!built.ok) return built;
  return ok({ ...built.value, ...(inputs.value === undefined ? {} : { inputs: inputs.value }) });
}

/** The key of the declared inputs; `undefined` when none are declared and every revision is built. */
async function inputsOf(
  context: Context,
  { tree }: Verified,
  { name, groups }: Host,
  { build: program, inputs }: ExecSource,
): Promise<Result<string | undefined>> {
  if (inputs === undefined) return ok(undefined);
  const { git } = context.effects('build');
  const found = [];
  for (const path of [program, ...inputs]) {
    const item = await lookUp(git, tree, path);
    if (!item.ok) return item;
    if (item.value === null && path !== program) return fail(noInput(path, name));
    found.push({ path, item: item.value });
  }
  return ok(inputsKey({ host: name, groups, build: program, found }));
}

async function writeTree(
  context: Context,
  { tree, commit }: Verified,
  { build: program }: ExecSource,
): Promise<Result<string>> {
  const { git, trees } = context.effects('build');
  const item = await lookUp(git, tree, program);
  if (!item.ok) return item;
  if (item.value === null) return fail(noProgram(program, 'is not in this revision', 'add it and push'));
  if (item.value.mode !== '100755') {
    return fail(
      noProgram(program, 'is not an executable file', `run \`chmod +x ${program}\`, commit and push`),
    );
  }
  return trees.write(walk(git, tree), commit.committer.seconds);
}

async function runBuild(
  context: Context,
  { revision }: Verified,
  host: Host,
  source: ExecSource,
  cwd: string,
): Promise<Result<BuiltSystem>> {
  const { systems, programs } = context.effects('build');
  const { memory, root, signal } = context;
  const out = await systems.reserve();
  if (!out.ok) return out;
  const path = out.value;
  const ran = await programs.run(
    {
      file: `${cwd}/${source.build}`,
      args: [],
      cwd,
      env: {
        PATH: programPath,
        out: path,
        AUTARK_HOST: host.name,
        AUTARK_GROUPS: host.groups.join(' '),
        AUTARK_REVISION: revision,
        AUTARK_ROOT: root,
      },
      outputCap,
      leftovers: 'end',
      isBuild: true,
      onStart: (child) => memory.write({ phase: { at: 'build', revision, path, child } }),
    },
    { timeout: host.timeouts.build, signal },
  );
  const problem = buildProblem(ran, host, source);
  const sealed = problem === undefined ? await systems.seal(path) : fail(problem);
  if (sealed.ok) return ok({ kind: 'exec', ...sealed.value });
  const failure = signal.aborted ? sealed.failure : await blame(context, sealed.failure);
  await systems.discard(path);
  return fail(failure);
}

function buildProblem(
  { ending, tail }: Ran,
  host: Host,
  { build: program }: ExecSource,
): Failure | undefined {
  if (ending.how === 'exited' && ending.code === 0) return undefined;
  const isLate = ending.how === 'timeout';
  const cause =
    ending.how === 'exited'
      ? `the build exited with code ${ending.code}`
      : reasonOf(ending, host.timeouts.build, 'the build');
  return {
    kind: isLate ? 'build-timeout' : 'build-failed',
    cause,
    where: program,
    remedy: isLate
      ? `make it faster or raise \`timeouts.build\` of ${host.name}; the old system runs on`
      : 'mend it and push; the old system runs on',
    ...(tail === '' ? {} : { detail: tail }),
  };
}

/** A slip here would otherwise mean: nothing ever changed. */
function noInput(path: string, host: string): Failure {
  return {
    kind: 'invalid',
    cause: `the input ${path} is not in this revision`,
    where: `fleet.yaml, hosts.${host}.system.inputs`,
    remedy: 'correct the path, or add the file, and push',
  };
}

function noProgram(program: string, problem: string, remedy: string): Failure {
  return { kind: 'build-failed', cause: `the build program ${problem}`, where: program, remedy };
}
