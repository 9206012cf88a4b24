import type { Aim } from '../../shared/cycle/aim.ts';
import type { BuiltSystem } from '../../shared/cycle/journal.ts';
import { ok, type Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import type { Context } from '../context.ts';
import { fetchAgent } from './agent-file.ts';
import { buildExec } from './build-exec.ts';
import { buildNixos } from './build-nixos.ts';
import { keepSecrets } from './secrets.ts';
import type { Verified } from './verify.ts';

/** Makes the host's system from a verified revision, and fetches the agent and the secrets that go with it. What it gives is on disk, synced, and can be activated. */
export async function build(
  context: Context,
  verified: Verified,
  host: Host,
  source: SystemSource,
  { isTrial }: Pick<Aim, 'isTrial'>,
): Promise<Result<BuiltSystem>> {
  // What is only tried is activated by the agent that is there.
  const agent = isTrial ? ok(undefined) : await fetchAgent(context, verified, host, source);
  if (!agent.ok) return agent;
  const built =
    source.kind === 'nixos'
      ? await buildNixos(context, verified, host, source)
      : await buildExec(context, verified, host, source);
  if (!built.ok) return built;
  const secrets = await keepSecrets(context, verified);
  if (!secrets.ok) return secrets;
  return ok({
    ...built.value,
    ...(agent.value === undefined ? {} : { agent: agent.value }),
    ...(secrets.value === undefined ? {} : { secrets: secrets.value }),
  });
}
