import type { Disk } from '../disk/disk.ts';
import { oneLine } from '../printable.ts';
import type { Ledger } from '../record/ledger.ts';
import type { StateRecord } from '../record/tip.ts';
import { bytesText } from './bytes.ts';
import { deviceText, runText } from './step-text.ts';
import { table } from './table.ts';

/** One line, in columns. */
type Row = readonly string[];

/** A ledger for people. Nothing is cut: what a person needs to bring a disk back may be at the end of a line. */
export function ledgerText(ledger: Ledger, record: Pick<StateRecord, 'seq' | 'id' | 'at'>): string {
  const { host, fleet, begun, readers, disks, backups, runs = [] } = ledger;
  const kept = Object.entries(backups).map(([name, { taken, of }]): Row => [
    name,
    ...(of === undefined ? [] : [`of ${of},`]),
    `taken ${taken}`,
  ]);
  const about = labelled('', [
    ['host', [[host]]],
    ['fleet', [[fleet]]],
    ['record', [[`${record.seq} of ${record.at} (${record.id})`]]],
    ['begun', [[`with record ${begun.seq}, in installation ${begun.installation}`]]],
    ['sealed to', readers.map((key) => [key])],
    ...(runs.length === 0 ? [] : ([['steps', runs.map((run) => [run.step, runText(run)])]] as const)),
    ['backups', kept.length === 0 ? [['none']] : kept],
  ]);
  const found = disks.length === 0 ? ['No disks were found.\n'] : disks.map(diskText);
  const waits = Object.entries(ledger.examined ?? {}).map(([path, device]) => deviceText(path, device));
  return [about, ...found, ...(waits.length === 0 ? [] : ['Of steps that destroy:\n', ...waits])].join('\n');
}

function diskText({ name, ids, model, serial, size, ...on }: Disk): string {
  const { table: kind, partitions, signatures, uses } = on;
  const parts = partitions.map((each): Row => {
    const place = `${bytesText(each.size)} at ${bytesText(each.start)}`;
    return [each.name, place, each.type, each.uuid ?? '-'];
  });
  const signed = signatures.map(({ on: device, type, offset, uuid, label }): Row => {
    return [device, `${type} at ${offset}`, uuid ?? '-', ...(label === null ? [] : [`“${label}”`])];
  });
  const facts = labelled('  ', [
    ['model', [[model ?? 'not known']]],
    ['serial', [[serial ?? 'none']]],
    ['size', [[`${bytesText(size)} (${size} bytes)`]]],
    ['ids', ids.length === 0 ? [['none']] : ids.map((id) => [id])],
    ['table', [[kind ?? 'none recognised']]],
    ['partitions', parts.length === 0 ? [['none']] : parts],
    ['signatures', signed.length === 0 ? [[unsigned]] : signed],
    ['used', uses.length === 0 ? [['by nobody that is known']] : uses.map((use) => [use])],
  ]);
  return `${oneLine(name)}\n${facts}`;
}

/** Missing knowledge must not read like a permission. */
const unsigned = 'none recognised, which does not mean that it is empty';

/** Columns are as wide as the rows of one label need them. */
function labelled(
  indent: string,
  facts: readonly (readonly [label: string, rows: readonly Row[]])[],
): string {
  const wide = Math.max(...facts.map(([label]) => label.length)) + 2;
  return facts
    .flatMap(([label, rows]) =>
      linesOf(rows).map((line, index) => `${indent}${(index === 0 ? label : '').padEnd(wide)}${line}\n`),
    )
    .join('');
}

function linesOf(rows: readonly Row[]): readonly string[] {
  const cells = rows.map((row) => row.map((text) => ({ text: oneLine(text) })));
  return table(cells, { width: Infinity, colour: false }).split('\n').slice(0, -1);
}
