import type { Step } from '../fleet/fleet.ts';
import { oneLine, printable } from '../printable.ts';
import type { Ledger } from '../record/ledger.ts';
import type { ExaminedDevice, StepRun } from '../record/step-run.ts';
import { bytesText } from './bytes.ts';
import { table } from './table.ts';

/** What a person sees who is to approve a step: its disks as the host saw them, and what became of it before. */
export function stepText(step: Step, { host, examined = {}, runs = [] }: Ledger): string {
  const earlier = runs.filter((run) => run.step === step.name);
  const disks = step.destroys.map((path) =>
    deviceText(path, Object.hasOwn(examined, path) ? examined[path] : undefined),
  );
  const about = [
    `The step ${step.name} of ${host} runs ${step.run}${step.files.length === 0 ? '' : ` with ${step.files.join(', ')}`}`,
    ...(step.credentials.length === 0 ? [] : [`It is lent ${step.credentials.join(', ')}`]),
    ...(earlier.length === 0 ? ['It never ran'] : earlier.map((run) => `It ran before: ${runText(run)}`)),
  ];
  const does =
    step.destroys.length === 0
      ? 'It destroys nothing: block devices are out of its reach'
      : `It destroys what is on ${step.destroys.length === 1 ? 'this disk' : `these ${step.destroys.length} disks`}:`;
  return [
    ...about.map((line) => `${oneLine(line)}\n`),
    ...lastLines(earlier.at(-1)).map((line) => `  | ${line}\n`),
    ...[`${does}\n`, ...disks.map((text) => `\n${text}`)],
  ].join('');
}

/** As much of what a run wrote last as says why it ended so; the mark tells it from what autark says. */
function lastLines({ output = '' }: Partial<StepRun> = {}): readonly string[] {
  const lines = printable(output)
    .split('\n')
    .map((line) => line.trimEnd());
  return lines.filter((line) => line !== '').slice(-10);
}

/** One run on one line. */
export function runText({ began, outcome, how, approval, yields = {} }: StepRun): string {
  const said = outcome === 'started' ? 'it has no result' : (how ?? outcome);
  const names = Object.keys(yields);
  return oneLine(
    `${began}, ${outcome}: ${said}` +
      (approval === null ? ', unapproved' : `, approval ${approval.slice(0, 8)}`) +
      (names.length === 0 ? '' : `, yielded ${names.join(' ')}`),
  );
}

/** A disk as it was examined. Missing knowledge must not read like a permission. */
export function deviceText(path: string, examined: ExaminedDevice | undefined): string {
  if (examined === undefined) return `${oneLine(path)}\n  not reported yet\n`;
  if ('failed' in examined)
    return `${oneLine(path)}\n  could not be looked at (${examined.at}): ${oneLine(examined.failed)}\n`;
  const { disk, looks, found, isExclusive } = examined.seen;
  const { model, serial, size, table: kind, partitions, signatures, uses } = disk;
  const rows = [
    ['seen', examined.at],
    ['model', model ?? 'not known'],
    ['serial', serial ?? 'none'],
    ['size', `${bytesText(size)} (${size} bytes)`],
    ['looks', appearances[looks]],
    ['table', kind ?? 'none recognised'],
    ...partitions.map((each) => [
      'partition',
      `${each.name}, ${bytesText(each.size)} at ${bytesText(each.start)}`,
    ]),
    ...signatures.map(({ on, type, label, uuid }) => ['holds', `${type} on ${on}${name(label, uuid)}`]),
    ...found.map(({ type, offset, uuid }) => [
      'found',
      `${type} at ${bytesText(offset)}${name(null, uuid)}, of which no table knows`,
    ]),
    ...(uses.length === 0
      ? [['used', isExclusive ? 'by nobody' : 'something has it open']]
      : uses.map((use) => ['used', use])),
  ];
  const cells = rows.map((row) => row.map((text) => ({ text: oneLine(text) })));
  const text = table(cells, { width: Infinity, colour: false });
  return `${oneLine(path)}\n${text.replace(/^(?=.)/gm, '  ')}`;
}

const appearances = {
  blank: 'blank wherever it was looked at',
  data: 'LIKE DATA',
  'encrypted?': 'RANDOM: it may be encrypted',
} as const;

function name(label: string | null, uuid: string | null): string {
  return [label === null ? '' : ` “${label}”`, uuid === null ? '' : ` ${uuid}`].join('');
}
