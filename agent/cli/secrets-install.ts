import { exitCode, ok } from '../../shared/failure.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Act } from './verb.ts';

/**
 * `autark secrets install`: places the secrets of the current generation, as a boot does, offline. Early in a boot what is
 * placed already stays: whoever switches the system has placed the next generation's before.
 */
export const secretsInstall: Act = async (args, { terminal, roles, root }) => {
  const isEarly = args.flag('early');
  const host = await roles.bootSecrets(root, isEarly);
  if (isEarly && (await host.store.placed()) !== null) return ok(0);
  const id = await host.current();
  if (!id.ok) return id;
  const placed = await host.store.place(id.value);
  if (!placed.ok) return placed;
  const { missing, problems } = placed.value;
  for (const { name, cause } of missing) terminal.note(oneLine(`autark: secret ${name}: ${cause}`));
  for (const problem of problems) terminal.note(oneLine(`autark: ${problem}`));
  return ok(missing.length === 0 ? 0 : exitCode('secret-unopened'));
};
