import type { BuiltSystem } from '../../shared/cycle/journal.ts';
import type { Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import type { Context } from '../context.ts';
import { buildExec } from './build-exec.ts';
import { buildNixos } from './build-nixos.ts';
import type { Verified } from './verify.ts';

/** Makes the host's system from a verified revision. What it gives is on disk, synced, and can be activated. */
export function build(
  context: Context,
  verified: Verified,
  host: Host,
  source: SystemSource,
): Promise<Result<BuiltSystem>> {
  return source.kind === 'nixos'
    ? buildNixos(context, verified, host, source)
    : buildExec(context, verified, host, source);
}
