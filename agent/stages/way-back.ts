import type { ObjectId } from '../../shared/objects/object.ts';
import { programPath } from '../../shared/program-path.ts';
import type { Context } from '../context.ts';
import type { WayBack } from '../unit-ports.ts';
import type { Watched } from './watched.ts';

/** An activation's whole environment: it knows which host it is for, and nothing of the agent's own. */
export function activationEnvironment(
  { settings, root }: Context,
  revision: ObjectId,
): Readonly<Record<string, string>> {
  return { PATH: programPath, AUTARK_HOST: settings.host, AUTARK_REVISION: revision, AUTARK_ROOT: root };
}

/** What the watchdog is to go back to, as far as the disk has it; `null` when there is nothing. */
export async function wayBackOf(
  context: Context,
  stage: Watched['at'],
  { from, before, ...phase }: Watched,
): Promise<WayBack | null> {
  const revision = phase.at === 'rollback' ? phase.attempted : phase.revision;
  const agent = phase.agentBefore;
  const place = { cwd: context.root, ...(agent === undefined ? {} : { agent }) };
  if (from === null) {
    if (before === undefined) return null;
    const env = activationEnvironment(context, revision);
    return { ...place, kind: 'nixos', path: before, number: null, env };
  }
  const generations = await context.effects(stage).systems.generations();
  const found = generations.find(({ number }) => number === from);
  if (found === undefined) return null;
  const { kind, path, number } = found;
  return { ...place, kind, path, number, env: activationEnvironment(context, found.revision) };
}
