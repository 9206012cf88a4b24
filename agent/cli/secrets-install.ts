import { exitCode, ok, type Result } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';
import type { BootSecrets } from '../secret-ports.ts';
import type { Act, Arguments, Context } from './verb.ts';

/**
 * `autark secrets install`: places the secrets of the current generation, or of the one that boots, offline. Early in a boot
 * what was decided already stays: whoever switches the system has placed the next generation's before, or has removed all.
 */
export const secretsInstall: Act = async (args, context) => {
  const isEarly = args.flag('early');
  const host = await context.roles.bootSecrets(context.root, isEarly);
  // Nobody else acts so early in a boot; and from within an activation, whoever switches holds the lock and waits for this.
  if (isEarly) {
    if (await host.store.isDecided()) return ok(0);
    // It may be on a file system that is not mounted yet: a set of which nothing opens would pass for a decision.
    return host.key.ok ? install(host, args, context) : host.key;
  }
  const unlock = await host.lock(context.signal);
  if (!unlock.ok) return unlock;
  try {
    return await install(host, args, context);
  } finally {
    await unlock.value();
  }
};

async function install(host: BootSecrets, args: Arguments, { terminal }: Context): Promise<Result<number>> {
  const id = await host.wanted(args.text('system'));
  if (!id.ok) return id;
  const placed = await host.store.place(id.value);
  if (!placed.ok) return placed;
  const { missing, problems } = placed.value;
  for (const { name, cause } of missing) terminal.note(oneLine(`autark: secret ${name}: ${cause}`));
  for (const problem of problems) terminal.note(oneLine(`autark: ${problem}`));
  return ok(missing.length === 0 ? 0 : exitCode('secret-unopened'));
}
