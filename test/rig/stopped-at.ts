import { resolve } from 'node:path';
import { goBack } from '../../agent/go-back.ts';
import type { AgentHost } from '../../agent/host.ts';
import { offerKey } from '../../agent/new-key.ts';
import { settingsOf } from '../../agent/opening.ts';
import { serve } from '../../agent/serve.ts';
import type { Perform } from '../../agent/seam.ts';
import { agentHostRole } from '../../agent/wire-host.ts';
import { ok, type Result } from '../../shared/failure.ts';
import type { AgentSettings } from '../../shared/fleet/fleet.ts';

/**
 * A verb of a host that ends like a machine whose plug is pulled: SIGKILL to itself, before or after its Nth change.
 * Ends with its own exit code, or 0 and 1, when there are fewer. Prints each of them, so that a test can name it.
 *
 *     node stopped-at.js ROOT N before|after agent
 *     node stopped-at.js ROOT N before|after rollback
 *     node stopped-at.js ROOT N before|after new-key FILE
 */
const [root = '', at = '', when = '', verb = '', file = ''] = process.argv.slice(2);

/**
 * What only looks leaves nothing behind: a machine that stops there is as it was after the change before. They are most of
 * what goes through the seam, and are not counted.
 */
const looks = new Set([
  ...['git.read', 'git.testingTip', 'systems.generations', 'outbox.list', 'outbox.pack', 'holds.load'],
  ...[
    'journals.load',
    'machine.facts',
    'machine.isFull',
    'machine.needsReboot',
    'links.look',
    'watchdog.fired',
  ],
  ...[
    'health.failedUnits',
    'health.unwellUnits',
    'agentFiles.running',
    'agentUnit.isReplaced',
    'disks.glance',
    'disks.inventory',
  ],
  ...['ledgers.load', 'ledgers.ids', 'ledgers.read', 'ledgers.open', 'disks.examine', 'steps.lacking'],
  ...['secrets.placed', 'secrets.isDecided', 'secrets.owesTelling', 'secrets.kept'],
]);

let count = 0;
const perform: Perform = async (stage, name, effect) => {
  if (looks.has(name)) return effect();
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

type Act = (host: AgentHost, settings: AgentSettings) => Promise<Result<unknown>>;
const byHand: Readonly<Record<string, Act>> = {
  rollback: (there, settings) => goBack(there, settings, signal, () => Promise.resolve(true)),
  'new-key': (there, settings) => offerKey(there, settings, file, signal),
};

async function act(): Promise<Result<unknown>> {
  const settings = await settingsOf(host);
  if (!settings.ok) return settings;
  const chosen = byHand[verb];
  if (chosen === undefined) throw new Error(`no such verb: ${verb}`);
  const done = await chosen(host, settings.value);
  return done.ok ? ok(0) : done;
}

const ended =
  verb === 'agent' ? await serve(host, { once: true, signal, onHangup: () => undefined }) : await act();
if (!ended.ok) process.stderr.write(`${JSON.stringify(ended.failure)}\n`);
process.exitCode = ended.ok ? Number(ended.value) : 1;
