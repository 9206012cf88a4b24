import { fail, ok, sentence, type Failure, type Result } from '../../shared/failure.ts';
import { exitMask } from '../../shared/fleet-view/exit-mask.ts';
import type { HostView } from '../../shared/fleet-view/host-state.ts';
import { statusTable } from '../../shared/fleet-view/status-table.ts';
import { oneLine } from '../../shared/printable.ts';
import { troubles } from './troubles.ts';
import type { Snapshot } from '../fleet/read.ts';
import { distances, hostViews } from '../fleet/status.ts';
import type { Clone, Terminal } from '../clone-ports.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/** Milliseconds between two looks with `--watch`: a server is not asked every second by everybody who looks. */
export function watchInterval(remote: Clone['remote'], offline: boolean): number {
  return offline || remote === null || remote.isLocal ? 1000 : 5000;
}

/** The bit of the exit code for what is not verified, whether it belongs to a host or not. */
const notVerified = 8;

/** `autark status`: exits with the mask of what is not well. */
export const status: Act = async (args, context) => {
  if (args.flag('watch') && args.flag('json')) {
    return fail(usage('status', '--watch and --json do not go together', 'call it again instead of --watch'));
  }
  const clone = await context.roles.clone(context.signal);
  if (!clone.ok) return clone;
  return args.flag('watch') ? watch(clone.value, args, context) : once(clone.value, args, context);
};

async function once(clone: Clone, args: Arguments, { terminal, now }: Context): Promise<Result<number>> {
  const look = await lookAt(clone, args.flag('offline'), null);
  if (!look.ok) return look;
  const hosts = chosen(look.value, args.rest, now());
  if (!hosts.ok) return hosts;
  const { fleet, head, findings } = look.value.snapshot;
  for (const line of troubles(look.value.snapshot)) terminal.note(`autark: ${line}`);
  if (args.flag('json')) {
    const shown = { format: 1, fleet: fleet.fleet, head, hosts: hosts.value, findings };
    terminal.out(JSON.stringify(shown, null, 2));
  } else if (hosts.value.length === 0) {
    terminal.note('The fleet has no hosts yet: run `autark enroll` on a machine.');
  } else {
    const { width, colour } = terminal;
    terminal.out(statusTable(hosts.value, { width, colour, now: now() }));
  }
  return ok(exitMask(hosts.value) | (findings.length > 0 ? notVerified : 0));
}

/** Shows the table anew when it changes: in place on a terminal, as another block elsewhere. */
async function watch(
  clone: Clone,
  args: Arguments,
  { terminal, now, signal }: Context,
): Promise<Result<number>> {
  let look: Look | null = null;
  let shown = '';
  let said = '';
  let trouble = '';
  for (;;) {
    const next = await lookAt(clone, args.flag('offline'), look);
    if (signal.aborted) return ok(0);
    if (!next.ok && look === null) return next;
    const lines = next.ok ? troubles(next.value.snapshot) : [oneLine(sentence(next.failure))];
    trouble = tell(lines, trouble, terminal);
    look = next.ok ? next.value : look;
    const hosts = look === null ? null : chosen(look, args.rest, now());
    if (hosts?.ok === false) return hosts;
    const views = hosts?.value ?? [];
    const text = statusTable(views, { width: terminal.width, colour: terminal.colour, now: now() });
    const facts = JSON.stringify(views);
    if (terminal.isTerminal ? text !== shown : facts !== said) {
      const separator = said === '' ? '' : '\n';
      terminal.out(terminal.isTerminal ? `${over(shown)}${text}` : `${separator}${text}`);
      shown = text;
      said = facts;
    }
    await pause(watchInterval(clone.remote, args.flag('offline')), signal);
  }
}

/** What is not well is said once; the last known table stays. */
function tell(lines: readonly string[], before: string, terminal: Pick<Terminal, 'note'>): string {
  const now = lines.join('\n');
  if (now !== before) for (const line of lines) terminal.note(`autark: ${line}`);
  return now;
}

/** Goes back to the table's first line and clears what is below (ECMA-48: CUU, ED). */
function over(shown: string): string {
  const lines = shown.split('\n').length - 1;
  return lines === 0 ? '' : `\u001b[${lines}A\u001b[0J`;
}

interface Look {
  readonly mark: string;
  readonly snapshot: Snapshot;
  readonly behind: Awaited<ReturnType<typeof distances>>;
}

/** Fetches, and reads the hosts again only when a ref moved since the look before. */
async function lookAt(clone: Clone, offline: boolean, before: Look | null): Promise<Result<Look>> {
  // What reads fleet.yaml takes as long to load as git takes to answer: both at once.
  const [fetched, { fleetRefs, readFleet }] = await Promise.all([
    offline ? ok(undefined) : clone.fetch(),
    import('../fleet/read.ts'),
  ]);
  if (!fetched.ok) return fetched;
  const refs = await fleetRefs(clone);
  if (!refs.ok) return refs;
  const mark = JSON.stringify([refs.value.head, ...refs.value.states, ...refs.value.waiting]);
  if (before?.mark === mark) return ok(before);
  const snapshot = await readFleet(clone, refs.value);
  if (!snapshot.ok) return snapshot;
  return ok({ mark, snapshot: snapshot.value, behind: await distances(clone, snapshot.value) });
}

function chosen(
  { snapshot, behind }: Look,
  names: readonly string[],
  now: number,
): Result<readonly HostView[]> {
  const all = hostViews(snapshot, behind, now);
  const missing = names.find((name) => !all.some((view) => view.host === name));
  if (missing !== undefined) return fail(unknownHost(missing));
  return ok(names.length === 0 ? all : all.filter((view) => names.includes(view.host)));
}

function unknownHost(name: string): Failure {
  return {
    kind: 'unexpected',
    cause: `no host is called ${name}`,
    where: 'fleet.yaml, hosts',
    remedy: '`autark status` without a name lists them all',
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener('abort', end);
  });
}
