import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { ledgerText } from '../../shared/fleet-view/ledger-text.ts';
import { strictUtf8 } from '../../shared/objects/utf8.ts';
import { printableJson } from '../../shared/printable.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { parseLedger } from '../../shared/record/parse-ledger.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { showStep } from './ledger-step.ts';
import { openSealed, openState, type StateOpening } from './state-opening.ts';
import type { Act } from './verb.ts';

/** `autark ledger show`: what a host says of its disks. */
export const ledger: Act = async (args, context) => {
  const call = { args, context };
  const state = await openState(call);
  if (!state.ok) return state;
  const opened = await openSealed(state.value, ledgerPath, call);
  if (!opened.ok) return opened;
  if (opened.value === null) return fail(noLedger(state.value));
  const read = readLedger(state.value, opened.value);
  if (!read.ok) return read;
  const step = args.text('step');
  if (step !== undefined) return showStep(read.value, { step, file: args.text('yielded') }, context);
  const { host, record } = state.value;
  const { seq, id, at } = record;
  const shown = { format: 1, host, record: { seq, id, at }, ledger: read.value };
  context.terminal.out(args.flag('json') ? printableJson(shown) : ledgerText(read.value, record));
  return ok(0);
};

/** Its own signature says who committed it, not whom it speaks of: one that was taken over from elsewhere is none. */
export function readLedger({ host, fleet }: StateOpening, opened: Uint8Array): Result<Ledger> {
  const text = strictUtf8(Buffer.from(opened));
  const read = text === undefined ? fail('it is not UTF-8') : parseLedger(text);
  if (!read.ok) return fail(unreadable(host, read.failure));
  const { host: whose, fleet: which } = read.value;
  if (whose !== host) return fail(foreign(host, `the host ${whose}`));
  return which === fleet ? read : fail(foreign(host, `the fleet ${which}`));
}

export function noLedger({ host, record }: StateOpening): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} has no ledger yet: its newest record, ${record.seq}, holds none`,
    where: `state/${host}, ${record.id}`,
    remedy:
      'its agent takes one before its first record, when its disks change and at least once a day, and commits it with its ' +
      `next record; it runs autark ${record.status.agent.version}, and versions before 0.2.0 take none`,
  };
}

function unreadable(host: string, why: string): Failure {
  return {
    kind: 'invalid',
    cause: `the ledger cannot be read: ${why}`,
    where: `state/${host}, ${ledgerPath}`,
    remedy: `look at what ${host} wrote before: git log origin/state/${host} -- ${ledgerPath}`,
  };
}

function foreign(host: string, whose: string): Failure {
  return {
    kind: 'not-authentic',
    cause: `this is not the ledger of ${host}: it is that of ${whose}`,
    where: `state/${host}, ${ledgerPath}`,
    remedy: `find out who wrote it there: nobody but ${host} commits to this branch`,
  };
}
