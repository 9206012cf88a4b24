import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { runText } from '../../shared/fleet-view/step-text.ts';
import { printable } from '../../shared/printable.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { ledgerPath } from '../../shared/record/sealed-part.ts';
import { isBinary } from './binary.ts';
import type { Context } from './verb.ts';

/** What a step wrote, or yielded, in its newest run. */
export async function showStep(
  { host, runs = [] }: Ledger,
  { step, file }: { readonly step: string; readonly file: string | undefined },
  { terminal, roles }: Context,
): Promise<Result<number>> {
  const run = runs.findLast((each) => each.step === step);
  if (run === undefined) return fail(neverRan(host, step));
  if (file === undefined) {
    terminal.note(`autark: ${step}, ${runText(run)}`);
    const output = run.output ?? '';
    // The program may have printed what somebody else sent it: a terminal would obey that.
    terminal.out(terminal.isTerminal ? printable(output) : output);
    return ok(0);
  }
  const text = Object.hasOwn(run.yields ?? {}, file) ? run.yields?.[file] : undefined;
  if (text === undefined) return fail(notYielded(host, step, Object.keys(run.yields ?? {})));
  const bytes = Buffer.from(text, 'base64');
  if (terminal.isTerminal && isBinary(bytes)) return fail(binary(file));
  await (await roles.secretDesk()).output(bytes);
  return ok(0);
}

function neverRan(host: string, step: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} never ran a step ${step}`,
    where: `state/${host}, ${ledgerPath}`,
    remedy: `\`autark ledger show ${host}\` lists those that it ran`,
  };
}

function notYielded(host: string, step: string, names: readonly string[]): Failure {
  return {
    kind: 'unexpected',
    cause: `the step ${step} yielded no such file`,
    where: `state/${host}, ${ledgerPath}`,
    remedy: names.length === 0 ? 'it yielded nothing' : `it yielded ${names.join(', ')}`,
  };
}

function binary(file: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${file} is binary, and a terminal would obey what is in it`,
    remedy: 'pass it on, or write it to a file in a folder in memory',
  };
}
