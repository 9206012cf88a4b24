import { fail, ok, sentence, type Result } from '../../shared/failure.ts';
import { moment } from '../../shared/fleet-view/time.ts';
import { table, type Cell } from '../../shared/fleet-view/table.ts';
import { oneLine } from '../../shared/printable.ts';
import { stateEvents } from '../../shared/record/status.ts';
import { readLog, type LogEntry } from '../fleet/log.ts';
import { readFleet } from '../fleet/read.ts';
import { unknownHost } from './editing.ts';
import { fetchFleet } from './fetched.ts';
import { nearest } from '../../shared/fleet/name.ts';
import { trusted } from './trusted.ts';
import { usage, type Act, type Arguments } from './verb.ts';

/** `autark log`: what happened, newest first. */
export const log: Act = async (args, context) => {
  const { terminal, now } = context;
  const wanted = filterOf(args, now());
  if (!wanted.ok) return wanted;
  const fetched = await fetchFleet(context);
  if (!fetched.ok) return fetched;
  const { clone, refs } = fetched.value;
  const snapshot = await readFleet(clone, refs);
  if (!snapshot.ok) return snapshot;
  const { introduction } = snapshot.value.authority;
  if (introduction.isFound) terminal.note(`autark: ${trusted(introduction.id)}`);
  const host = args.positional('HOST');
  if (host !== undefined && !snapshot.value.fleet.hosts.has(host) && !refs.states.has(host)) {
    return fail(unknownHost(host));
  }
  const hosts = host === undefined ? [...refs.states.keys()] : [host];
  const { from, concerns } = wanted.value;
  const read = await readLog(clone, refs, snapshot.value, { hosts, from });
  if (!read.ok) return read;
  const { problems } = read.value;
  const [nothing] = problems;
  if (host !== undefined && nothing !== undefined && read.value.entries.length === 0) return fail(nothing);
  for (const problem of problems) terminal.note(`autark: ${oneLine(sentence(problem))}`);
  const entries = read.value.entries.filter(concerns);
  const sheet = { width: terminal.width, colour: terminal.colour };
  terminal.out(
    args.flag('json') ? JSON.stringify({ format: 1, entries }, null, 2) : table(entries.map(line), sheet),
  );
  return ok(0);
};

interface Filter {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly concerns: (entry: LogEntry) => boolean;
}

function filterOf(args: Arguments, now: number): Result<Filter> {
  const [since, event, revision] = [args.text('since'), args.text('event'), args.text('revision')];
  const from = since === undefined ? -Infinity : moment(since, now);
  if (from === undefined) {
    return fail(usage('log', `--since is a time such as 2h, 3d or 2027-01-05T08:00:00Z, not ${since ?? ''}`));
  }
  if (event !== undefined && !stateEvents.some((each) => each === event)) {
    const near = nearest(event, stateEvents);
    return fail(usage('log', `there is no event ${event}`, near === undefined ? undefined : `try ${near}`));
  }
  if (revision !== undefined && !/^[0-9a-f]{4,40}$/.test(revision)) {
    return fail(usage('log', `--revision is a commit of at least four hex digits, not ${revision}`));
  }
  const isMeant = (id: string | null) => revision === undefined || (id?.startsWith(revision) ?? false);
  const concerns: Filter['concerns'] = (entry) =>
    !(Date.parse(entry.at) < from) &&
    (event === undefined || entry.event === event) &&
    (isMeant(entry.revision) || isMeant(entry.attempted));
  return ok({ from, concerns });
}

/** One line an entry; what hosts wrote is made safe to show. */
function line(entry: LogEntry): readonly Cell[] {
  const about = entry.attempted ?? entry.revision;
  const message = oneLine(entry.message).replace(`${entry.host}: `, '');
  return [
    { text: oneLine(entry.at.replace(/\.\d+Z$/, 'Z')), style: 90 },
    { text: oneLine(entry.host) },
    { text: entry.event, style: entry.code === 0 ? 32 : 31 },
    { text: about?.slice(0, 7) ?? '-' },
    { text: entry.verified ? message : `NOT VERIFIED: ${message}` },
  ];
}
