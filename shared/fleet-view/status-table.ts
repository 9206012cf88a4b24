import { oneLine } from '../printable.ts';
import type { HostState, HostView } from './host-state.ts';
import { table, type Cell, type Sheet } from './table.ts';
import { ago } from './time.ts';

const headings = ['HOST', 'STATE', 'REVISION', 'BEHIND', 'GEN', 'SINCE', ''];

const styles: Readonly<Record<HostState, number>> = {
  converged: 32,
  building: 36,
  held: 33,
  failed: 31,
  silent: 31,
  paused: 33,
  drifted: 33,
  testing: 35,
  retired: 90,
  unapproved: 33,
};

/** The fleet for people: one line a host, coloured by state. What hosts wrote is made safe to show. */
export function statusTable(hosts: readonly HostView[], sheet: Sheet & { readonly now: number }): string {
  const heading = headings.map((text): Cell => ({ text, style: 1 }));
  return table([heading, ...hosts.map((view) => row(view, sheet.now))], sheet);
}

function row(view: HostView, now: number): readonly Cell[] {
  return [
    { text: oneLine(view.host) },
    { text: view.state, style: styles[view.state] },
    { text: view.revision?.slice(0, 7) ?? '-' },
    { text: view.behind === null ? '-' : String(view.behind) },
    { text: view.generation === null ? '-' : String(view.generation) },
    { text: view.since === null ? '-' : ago(Date.parse(view.since), now) },
    { text: oneLine(view.cause ?? '') },
  ];
}
