import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import { attempts, type Phase } from '../../shared/cycle/phase.ts';
import { asksAfterReboot } from '../../shared/cycle/reboot.ts';
import type { Context } from '../context.ts';
import { lookUp, readBytes } from '../objects/read.ts';
import { generationOf } from './switch.ts';
import type { Verified } from './verify.ts';

/**
 * The version of the agent that a revision wants (`agent: { file }`), kept on disk and not yet current; `undefined` when
 * the agent is to stay what it is. On NixOS the agent is part of the system; and where `enroll --install-to` did not
 * place it, it belongs to whoever did.
 */
export async function fetchAgent(
  context: Context,
  { tree }: Verified,
  { name, agentFile: file }: Host,
  { kind }: SystemSource,
): Promise<Result<string | undefined>> {
  if (file === undefined || kind === 'nixos') return ok(undefined);
  const { git, agentFiles } = context.effects('build');
  if ((await agentFiles.running()) === null) {
    context.senses.log({ kind: 'warning', host: name, message: notOurs });
    return ok(undefined);
  }
  const item = await lookUp(git, tree, file);
  if (!item.ok) return item;
  if (item.value?.mode !== '100644' && item.value?.mode !== '100755') return fail(noFile(file, name));
  const bytes = await readBytes(git, item.value.id, 'blob');
  return bytes.ok ? agentFiles.place(bytes.value) : bytes;
}

const notOurs =
  'agent.file is not followed on this machine: the agent was not placed here by `autark enroll --install-to`';

function noFile(file: string, host: string): Failure {
  return {
    kind: 'build-failed',
    cause: `the agent’s file ${file} is not in this revision`,
    where: `fleet.yaml, hosts.${host}.agent.file`,
    remedy: 'add it, or correct the path, and push; the old agent and the old system run on',
  };
}

/** Whether the agent that is current is the one that a built system comes with. */
export async function hasAgentOf(context: Context, agent: string | undefined): Promise<boolean> {
  if (agent === undefined) return true;
  const current = await context.effects('guard').agentFiles.current();
  return current.ok && current.value === agent;
}

/** The cycle goes on in the agent that came with the generation. Compared by identity. */
export const handedOver: Failure = {
  kind: 'unexpected',
  cause: 'the agent that came with the new generation is to confirm it',
  remedy: 'nothing: it is started by itself',
};

type Confirming = Extract<Phase, { at: 'confirm' }>;

/**
 * Whether this agent may confirm a generation: not one that came with another agent, which has to prove itself. It is
 * started then, and so often at most. What a person goes back to by hand has proved itself before.
 */
export async function whoConfirms(
  context: Context,
  phase: Confirming,
  boot: string,
): Promise<Result<'this agent' | 'another' | 'nobody'>> {
  if (phase.left !== undefined || asksAfterReboot(phase, boot)) return ok('this agent');
  const another = await isAnothers(context, phase);
  if (!another.ok) return another;
  if (!another.value) return ok('this agent');
  return ok((phase.handed ?? 0) < attempts.agent ? 'another' : 'nobody');
}

/** Whether a generation comes with another agent than this one: as a file, or as the service of a NixOS system. */
async function isAnothers(context: Context, { to, mode }: Confirming): Promise<Result<boolean>> {
  const { agentFiles, agentUnit } = context.effects('confirm');
  const generation = await generationOf(context, 'confirm', to);
  // What is tried brings no agent.
  if (generation?.kind === 'nixos') return mode === 'switch' ? agentUnit.isReplaced() : ok(false);
  const running = await agentFiles.running();
  return ok(running !== null && generation?.agent !== undefined && generation.agent !== running);
}

/** What is wrong with a generation whose own agent was begun often enough, and that `nobody` confirms. */
export function neverConfirmed(generation: number): Failure {
  return {
    kind: 'switch-failed',
    cause: `generation ${generation} came with an agent that did not confirm it in ${attempts.agent} attempts`,
    where: `generation ${generation}`,
    remedy: 'run it with `--version` on the host; put a working one in its place and push',
  };
}
