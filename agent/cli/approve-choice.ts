import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Host } from '../../shared/fleet/fleet.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Enrolment } from '../../shared/record/enrolment.ts';
import { fingerprint, parsePublicKey } from '../../shared/trust/ssh-key.ts';
import { usage, type Arguments, type Context } from './verb.ts';

/**
 * The machine that is meant. Somebody compares its fingerprint: by `--fingerprint`, or by answering here;
 * `--yes` never stands for that.
 */
export async function choose(
  waiting: readonly Enrolment[],
  args: Arguments,
  { terminal, host, before }: Context & { readonly host: string; readonly before: Host | undefined },
): Promise<Result<Enrolment>> {
  const wanted = args.text('fingerprint');
  if (wanted !== undefined) {
    const match = waiting.find((machine) => machine.fingerprint === wanted);
    return match === undefined ? fail(noMatch(wanted, waiting)) : ok(match);
  }
  if (waiting.length > 1) return fail(several(host, waiting));
  const [machine] = waiting;
  if (machine === undefined || !terminal.canAsk) {
    return fail(
      usage(
        'approve',
        'without a terminal --fingerprint is required',
        'take it from what `autark enroll` printed on the machine',
      ),
    );
  }
  for (const line of [...describe(machine), ...placeTaken(before, machine)]) terminal.note(line);
  const answer = await terminal.confirm(`Does ${host} itself show this fingerprint?`);
  return answer ? ok(machine) : fail(declined(host));
}

/** What a person compares and knows the machine by; all of it comes from the machine. */
function describe({ fingerprint, status }: Enrolment): readonly string[] {
  const { machine, at } = status;
  const disks = machine.disks.map(({ model, size }) => `${model} (${bytes(size)})`);
  const facts: [string, string][] = [
    ['fingerprint', fingerprint],
    ['system', `${machine.os}, ${machine.kernel}`],
    ['processor', machine.cpu],
    ['memory', bytes(machine.memory)],
    ['disks', disks.length === 0 ? 'none' : disks.join(', ')],
    ['enrolled', at],
  ];
  return facts.map(([name, fact]) => `  ${name.padEnd(11)}  ${oneLine(fact)}`);
}

function placeTaken(before: Host | undefined, machine: Enrolment): readonly string[] {
  const print = printOfReplaced(before, machine);
  return print === undefined
    ? []
    : [`  it takes the place of the machine with ${print}, which stops for good`];
}

/** The fingerprint of the machine that would be put out of office; `undefined` when it is none, or this very one. */
export function printOfReplaced(before: Host | undefined, { key }: Enrolment): string | undefined {
  if (before?.key === undefined || (before.key === key && before.genesis === undefined)) return undefined;
  const parsed = parsePublicKey(before.key);
  return parsed.ok ? fingerprint(parsed.value.blob) : before.key;
}

function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** power;
  return `${value < 10 && power > 0 ? value.toFixed(1) : value.toFixed(0)} ${units[power] ?? ''}`;
}

function noMatch(wanted: string, waiting: readonly Enrolment[]): Failure {
  return {
    kind: 'unexpected',
    cause: `the fingerprint is ${waiting.map((machine) => machine.fingerprint).join(' or ')}, not ${oneLine(wanted)}`,
    remedy: 'compare it with what the machine itself shows; do not approve a machine that you do not know',
  };
}

function several(host: string, waiting: readonly Enrolment[]): Failure {
  return {
    kind: 'unexpected',
    cause: `${waiting.length} machines wait to become ${host}`,
    remedy: 'choose one with --fingerprint',
    detail: waiting.flatMap(describe).join('\n'),
  };
}

function declined(host: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${host} is not approved, and nothing was changed`,
    remedy: `run \`autark enroll\` on ${host} to see its fingerprint, and \`autark approve ${host}\` again if that is the same`,
  };
}
