import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { AgentHost } from '../host.ts';
import type { Arguments, Context } from './verb.ts';

/**
 * `--install-to FILE`: FILE becomes the agent of this machine, a link to a copy of the program that runs. Done as often
 * as it is called; interrupted anywhere, the next call finishes it.
 * @returns how the agent is called from now on: by FILE too if an earlier call installed it
 */
export async function installed(
  args: Arguments,
  { program, resolve, terminal }: Context,
  { agentFiles, services }: AgentHost,
): Promise<Result<readonly string[]>> {
  const wanted = args.text('install-to');
  if (wanted === undefined) {
    const linked = await agentFiles.linked();
    return linked.ok ? ok(linked.value === null ? program : calledBy(program, linked.value)) : linked;
  }
  const file = resolve(wanted);
  if (services.arePackaged()) return fail(besidePackage(file));
  const bytes = await agentFiles.own();
  if (!bytes.ok) return bytes;
  if (bytes.value === null) return fail(notOneFile(program));
  const may = await agentFiles.mayLink(file, bytes.value);
  if (!may.ok) return may;
  const digest = await agentFiles.place(bytes.value);
  if (!digest.ok) return digest;
  const moved = await agentFiles.setCurrent(digest.value);
  if (!moved.ok) return moved;
  const linked = await agentFiles.link(file);
  if (!linked.ok) return linked;
  terminal.note(`The agent is installed as ${file}.`);
  return ok(calledBy(program, file));
}

/** By the same Node. */
function calledBy(program: readonly string[], file: string): readonly string[] {
  return [...program.slice(0, 1), file];
}

/** Two agents, of which the units call one, and a package manager that updates the other. */
function besidePackage(file: string): Failure {
  return {
    kind: 'usage',
    cause: 'a package has brought the agent of this machine, and its units call that one',
    where: file,
    remedy: 'leave --install-to out, and update the package; or remove the package, and run this again',
  };
}

function notOneFile(program: readonly string[]): Failure {
  return {
    kind: 'usage',
    cause: 'only the single file can be installed, and this program is many',
    where: program.at(-1) ?? '',
    remedy: 'make it with `npm run bundle`, copy dist/autark.mjs to this machine, and run that',
  };
}
