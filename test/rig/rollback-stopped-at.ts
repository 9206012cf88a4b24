import { resolve } from 'node:path';
import { goBack } from '../../agent/go-back.ts';
import { settingsOf } from '../../agent/opening.ts';
import type { Perform } from '../../agent/seam.ts';
import { agentHostRole } from '../../agent/wire.ts';

/**
 * `autark rollback` that ends like a machine whose plug is pulled: SIGKILL to itself, before or after its Nth effect.
 * Ends with 0 or 1 when there are fewer effects. Prints each effect, so that a test can name it.
 *
 *     node rollback-stopped-at.js ROOT N before|after
 */
const [root = '', at = '', when = ''] = process.argv.slice(2);

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
const settings = await settingsOf(host);
const went = settings.ok
  ? await goBack(host, settings.value, new AbortController().signal, () => Promise.resolve(true))
  : settings;
if (!went.ok) process.stderr.write(`${JSON.stringify(went.failure)}\n`);
process.exitCode = went.ok ? 0 : 1;
