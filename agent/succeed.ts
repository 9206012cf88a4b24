import type { Aim } from '../shared/cycle/aim.ts';
import type { Successor } from '../shared/cycle/journal.ts';
import { fail, ok, type Failure, type Result } from '../shared/failure.ts';
import type { Context } from './context.ts';
import { bringToServer, conclude, failed, type Ended } from './ending.ts';

/**
 * A revision pins this machine's new key. What waits under the old one goes to the server first, as the last of its
 * records; from then on nothing is made under it. Then `agent.yaml` names the new key, and the next cycle, which holds
 * it, takes the new genesis in one write of the journal (`taken`). Cut off anywhere, the next cycle comes here again.
 */
export async function succeed(context: Context, successor: Successor, aim: Aim): Promise<Ended | 'taken'> {
  const { memory, senses } = context;
  const delivered = await deliverOld(context);
  if (!delivered.ok) return failed(context, 'record', delivered.failure);
  const silent = memory.journal.approved ? await memory.write({ approved: false }) : ok(undefined);
  if (!silent.ok) return failed(context, 'plan', silent.failure);
  if (senses.signer.key !== successor.key) return nameKey(context, successor, aim);
  const taken = await take(context, successor);
  return taken.ok ? 'taken' : failed(context, 'plan', taken.failure);
}

/** Once it is pinned with its new key, nobody would take records of the old one. */
async function deliverOld(context: Context): Promise<Result<void>> {
  const { memory } = context;
  const { tip, genesis, delivered, diverged, approved } = memory.journal;
  if (diverged === null && (tip === genesis || tip === delivered)) return ok(undefined);
  // A person may have named the new key before it was pinned: then this machine passed for another.
  const ready = approved ? ok(undefined) : await memory.write({ approved: true });
  const brought = ready.ok ? await bringToServer(context) : ready;
  if (!brought.ok && !approved) await memory.write({ approved });
  if (!brought.ok) return brought;
  return memory.journal.delivered === memory.journal.tip
    ? ok(undefined)
    : fail(undelivered(memory.journal.host));
}

/** The key goes into `agent.yaml` only when it is there to be used: an agent without a key can do nothing. */
async function nameKey(context: Context, { file, key }: Successor, aim: Aim): Promise<Ended> {
  const { settings, keys, secrets, ledgers } = context.effects('plan');
  const { host, readers } = context.memory.journal;
  const there = await keys.signer(file);
  if (!there.ok) return wait(context, unusable(host, file, there.failure.cause), aim);
  if (there.value.key !== key) return wait(context, unusable(host, file, 'it is another one'), aim);
  // To the old one as well: until agent.yaml names the new key, a boot has but that.
  const both = [context.senses.signer.key, key];
  const sealed = await secrets.sealAnew(both);
  const all = sealed.ok ? await ledgers.sealAnew([...both, ...(readers ?? [])]) : sealed;
  if (!all.ok) return failed(context, 'plan', all.failure);
  const named = await settings.setKey(file);
  if (!named.ok) return wait(context, unnamed(host, file, named.failure), aim);
  const message = `${host} goes on with its new key, ${file}; the old one is of no more use to it`;
  context.senses.log({ kind: 'warning', host, message });
  return { code: 0, next: 'again' };
}

/** Held, and tried again by itself: what stands in the way is a file on this machine. */
function wait(context: Context, failure: Failure, aim: Aim): Promise<Ended> {
  return conclude(context, 'plan', failure, aim, { do: 'hold', event: 'held', failure, until: 0 });
}

async function take(context: Context, { key, genesis }: Successor): Promise<Result<void>> {
  const { memory } = context;
  const { outbox } = context.effects('plan');
  for (const entry of await outbox.list()) if (entry.id !== genesis) await outbox.drop(entry);
  return memory.write({
    ...{ genesis, key, seq: 0, tip: genesis, delivered: null, approved: true },
    ...{ replaced: null, replaces: null, follows: true, successor: null },
    ...{ diverged: null, restoredAt: null, standing: null, trial: null },
  });
}

function undelivered(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `records of ${host} under its old key are not on the server yet`,
    where: `state/${host}`,
    remedy: 'the agent tries again; it takes its new key after that',
  };
}

function unusable(host: string, where: string, why: string): Failure {
  return {
    kind: 'held',
    cause: `${host} is pinned with its new key, and that key cannot be used: ${why}`,
    where,
    remedy:
      'put the key back that `autark enroll --new-key` offered, with mode 0600; the agent goes on by itself',
  };
}

function unnamed(host: string, file: string, { cause, where = 'agent.yaml' }: Failure): Failure {
  return {
    kind: 'held',
    cause: `${host} is pinned with its new key, and agent.yaml cannot be changed to name it: ${cause}`,
    where,
    remedy:
      `write \`key: ${file}\` into agent.yaml by hand (on NixOS: into the settings of the module, and ` +
      'activate them on this machine); the agent goes on by itself',
  };
}
