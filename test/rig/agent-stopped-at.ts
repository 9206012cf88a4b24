import { resolve } from 'node:path';
import { offerKey } from '../../agent/new-key.ts';
import { serve } from '../../agent/serve.ts';
import type { Perform } from '../../agent/seam.ts';
import { agentHostRole } from '../../agent/wire.ts';

/**
 * `agent --once` that ends like a machine whose plug is pulled: SIGKILL to itself, before or after its Nth effect.
 * Ends with its own exit code when there are fewer effects. Prints each effect, so that a test can name it. With a file
 * it is `enroll --new-key FILE` that is stopped.
 *
 *     node agent-stopped-at.js ROOT N before|after [FILE]
 */
const [root = '', at = '', when = '', file] = process.argv.slice(2);

let count = 0;
const perform: Perform = async (stage, name, effect) => {
  count += 1;
  const isLast = count === Number(at);
  process.stdout.write(`${stage} ${name}\n`);
  if (isLast && when === 'before') process.kill(process.pid, 'SIGKILL');
  const value = await effect();
  if (isLast && when === 'after') process.kill(process.pid, 'SIGKILL');
  return value;
};

const host = await agentHostRole({
  root: resolve(root),
  env: process.env,
  log: (event) => process.stderr.write(`${JSON.stringify(event)}\n`),
  perform,
});
const { signal } = new AbortController();
if (file === undefined) {
  const ended = await serve(host, { once: true, signal, onHangup: () => undefined });
  process.exitCode = ended.ok ? ended.value : 1;
} else {
  const settings = await host.settings.load();
  if (!settings.ok || settings.value === null) throw new Error('the host has no settings');
  process.exitCode = (await offerKey(host, settings.value, file, signal)).ok ? 0 : 1;
}
