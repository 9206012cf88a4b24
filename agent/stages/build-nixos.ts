import { nixosInputsKey } from '../../shared/cycle/inputs.ts';
import type { BuiltSystem } from '../../shared/cycle/journal.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import type { FlakeTree } from '../../shared/nix/arguments.ts';
import { nixFailure } from '../../shared/nix/failure.ts';
import type { Context } from '../context.ts';
import type { NixRan } from '../nix-ports.ts';
import { blame } from './no-space.ts';
import { lookUp } from '../objects/read.ts';
import { reasonOf } from './activation.ts';
import { walk } from '../objects/walk.ts';
import type { Verified } from './verify.ts';

export type NixosSource = Extract<SystemSource, { kind: 'nixos' }>;

/** Milliseconds for a question to Nix that needs no network. */
const patience = 60_000;

/** Evaluates and builds `nixosConfigurations.<attr>` from the verified tree (S5), unless its result is known already. */
export async function buildNixos(
  context: Context,
  verified: Verified,
  host: Host,
  source: NixosSource,
): Promise<Result<BuiltSystem>> {
  const identity = await context.effects('build').nix.identity();
  if (!identity.ok) return identity;
  const { attr, dir } = source;
  const inputs = nixosInputsKey({ host: host.name, attr, dir, tree: verified.tree, nix: identity.value });
  const known = await findKnown(context, inputs);
  if (!known.ok) return known;
  if (known.value !== undefined) return ok(known.value);
  const tree = await writeFlake(context, verified, host, source);
  if (!tree.ok) return tree;
  const built = await runNix(context, tree.value, host, source);
  return built.ok ? ok({ ...built.value, inputs }) : built;
}

/** What runs, or a generation, that was built from the same: what it names may have left the store since. */
async function findKnown(context: Context, inputs: string): Promise<Result<BuiltSystem | undefined>> {
  const { systems, nix } = context.effects('build');
  const { running } = context.memory.journal;
  const all = [...(await systems.generations()), ...(running === null ? [] : [running])];
  const known = all.findLast((each) => each.kind === 'nixos' && each.inputs === inputs);
  if (known === undefined) return ok(undefined);
  const valid = await nix.isValid(known.path, { timeout: patience, signal: context.signal });
  if (!valid.ok) return valid;
  const { kind, path, digest, root } = known;
  return ok(
    valid.value ? { kind, path, digest, inputs, ...(root === undefined ? {} : { root }) } : undefined,
  );
}

async function writeFlake(
  context: Context,
  { revision, tree, commit }: Verified,
  host: Host,
  { dir }: NixosSource,
): Promise<Result<FlakeTree>> {
  const { git, trees } = context.effects('build');
  const file = flakeFile(dir);
  const flake = await lookUp(git, tree, file);
  if (!flake.ok) return flake;
  if (flake.value === null) return fail(noFlake(file, host.name));
  const { seconds } = commit.committer;
  const bounds = { timeout: host.timeouts.fetch, signal: context.signal };
  const [path, revCount] = await Promise.all([
    trees.write(walk(git, tree), seconds),
    git.countCommits(revision, bounds),
  ]);
  if (!path.ok) return path;
  if (!revCount.ok) return revCount;
  return ok({ path: path.value, dir, revision, revCount: revCount.value, lastModified: seconds });
}

async function runNix(
  context: Context,
  tree: FlakeTree,
  host: Host,
  { attr }: NixosSource,
): Promise<Result<BuiltSystem>> {
  const { systems, nix } = context.effects('build');
  const { memory, senses, signal } = context;
  const { revision } = tree;
  const link = await systems.reserveRoot();
  if (!link.ok) return link;
  const root = link.value;
  const ran = await nix.build(
    {
      ...{ tree, attr, link: root },
      onStart: (child) => memory.write({ phase: { at: 'build', revision, path: root, child } }),
      onProgress: (progress) => {
        senses.log({ kind: 'progress', host: host.name, revision, progress });
      },
    },
    { timeout: host.timeouts.build, signal },
  );
  const path = ran.ok ? ran.value.path : null;
  if (path !== null) return ok({ kind: 'nixos', path, digest: path, root });
  const failure = ran.ok ? await failureOf(context, ran.value, tree, host, attr) : ran.failure;
  await systems.discard(root);
  return fail(failure);
}

async function failureOf(
  context: Context,
  { ending, report }: NixRan,
  tree: FlakeTree,
  host: Host,
  attr: string,
): Promise<Failure> {
  const flake = flakeFile(tree.dir);
  if (ending.how !== 'exited') return blame(context, endedFailure(ending, report, host, flake));
  if (ending.code === 0) return blame(context, noPath(flake));
  const bounds = { timeout: host.timeouts.fetch, signal: context.signal };
  const { suspect, said } = await context.effects('build').nix.suspect(tree, bounds);
  return blame(context, nixFailure({ exit: ending.code, report, suspect, said, flake, attr }));
}

function endedFailure(
  ending: Exclude<NixRan['ending'], { how: 'exited' }>,
  { unfinished, log }: NixRan['report'],
  { name, timeouts }: Host,
  where: string,
): Failure {
  const isLate = ending.how === 'timeout';
  const at = unfinished.length === 0 ? '' : `, while it built ${unfinished.join(', ')}`;
  return {
    kind: isLate ? 'build-timeout' : 'build-failed',
    cause: `${reasonOf(ending, timeouts.build, 'nix build')}${at}`,
    where,
    remedy: isLate
      ? `make it faster or raise \`timeouts.build\` of ${name}; the old system runs on`
      : 'mend it and push; the old system runs on',
    ...(log === '' ? {} : { detail: log }),
  };
}

function flakeFile(dir: string): string {
  return dir === '.' ? 'flake.nix' : `${dir}/flake.nix`;
}

function noFlake(where: string, host: string): Failure {
  return {
    kind: 'build-failed',
    cause: `there is no ${where} in this revision`,
    where,
    remedy: `add it, or correct \`system.dir\` of ${host} in fleet.yaml, and push; the old system runs on`,
  };
}

function noPath(where: string): Failure {
  return {
    kind: 'unexpected',
    cause: 'nix build succeeded, and did not say what it built',
    where,
    remedy: 'check which program `nix` is on the PATH of the agent; the agent tries again by itself',
  };
}
