import { oneLine, printable } from '../printable.ts';
import { activity, parseNixMessage, result, type NixMessage, type NixPlace } from './message.ts';

/** How far a build is: derivations by Nix's own counters, which rise as it finds out what there is to do. */
export interface NixProgress {
  readonly done: number;
  readonly expected: number;
  readonly running: number;
  readonly failed: number;
  /** What began last and still runs, such as `hello-2.12`. */
  readonly current: string | null;
}

/** What a Nix that has ended has to say. */
export interface NixReport {
  /** Derivations whose builder failed: with none, it was the evaluation, or the world. */
  readonly failed: number;
  /** Names of derivations whose builders still ran. */
  readonly unfinished: readonly string[];
  /** In the order in which Nix said them: the first is the cause of the others. */
  readonly errors: readonly NixError[];
  /** The end of the log of what failed, else of what still ran, else of everything else that was printed. */
  readonly log: string;
}

export interface NixError {
  readonly text: string;
  /** `FILE:LINE:COLUMN`, the file relative to the tree where it is one of its own. */
  readonly where?: string;
}

/** Listens to a Nix, line by line, in bounded memory. */
export interface NixListener {
  line(line: string): void;
  progress(): NixProgress;
  report(): NixReport;
}

/** Lines kept of each builder's log, characters of each line, builders whose logs are kept, errors. */
const most = { lines: 30, characters: 500, builds: 64, errors: 20 } as const;

interface Build {
  readonly drv: string;
  readonly lines: string[];
  isRunning: boolean;
}

/** @param isInTree whether a path, relative, is a file of the tree that is built from */
export function listenToNix(isInTree: (path: string) => boolean): NixListener {
  const counters = new Map<string, readonly number[]>();
  const builds = new Map<string, Build>();
  const errors: { text: string; places: readonly NixPlace[] }[] = [];
  const others: string[] = [];

  const heed = (message: NixMessage): void => {
    if (message.kind === 'error') {
      if (errors.length < most.errors) errors.push(message);
    } else if (message.kind === 'start') {
      if (message.type === activity.builds) counters.set(message.id, []);
      if (message.type === activity.build) remember(builds, message);
    } else if (message.kind === 'stop') {
      stop(builds, message.id);
    } else if (message.type === result.progress) {
      if (counters.has(message.id)) counters.set(message.id, message.fields.map(Number));
    } else if (message.type === result.logLine) {
      keep(builds.get(message.id)?.lines ?? others, String(message.fields[0]));
    }
  };
  const sum = (index: number): number =>
    [...counters.values()].reduce((total, counter) => total + (counter[index] ?? 0), 0);
  const running = (): Build[] => [...builds.values()].filter((build) => build.isRunning);
  // A Nix that is told to end stops all of its activities; its counters alone stay as they were.
  const unfinished = (): Build[] => {
    const [now, count] = [running(), sum(2)];
    return now.length > 0 || count === 0 ? now : [...builds.values()].slice(-count);
  };
  return {
    line(line) {
      const message = parseNixMessage(line);
      if (message !== null) heed(message);
      else if (!line.startsWith('@nix ')) keep(others, line);
    },
    progress() {
      const current = running().at(-1);
      return {
        done: sum(0),
        expected: sum(1),
        running: sum(2),
        failed: sum(3),
        current: current === undefined ? null : derivationName(current.drv),
      };
    },
    report: () => ({
      failed: sum(3),
      unfinished: unfinished().map(({ drv }) => derivationName(drv)),
      errors: errors.map(({ text, places }) => errorOf(text, places, isInTree)),
      log: logOf([...builds.values()], unfinished(), errors, others).join('\n'),
    }),
  };
}

/** The first field of such an activity is the derivation's path. */
function remember(builds: Map<string, Build>, { id, fields }: Extract<NixMessage, { kind: 'start' }>): void {
  builds.set(id, { drv: String(fields[0]), lines: [], isRunning: true });
  const oldest = [...builds].find(([, build]) => !build.isRunning);
  if (builds.size > most.builds && oldest !== undefined) builds.delete(oldest[0]);
}

/** What stopped last comes last. */
function stop(builds: Map<string, Build>, id: string): void {
  const build = builds.get(id);
  if (build === undefined) return;
  build.isRunning = false;
  builds.delete(id);
  builds.set(id, build);
}

function keep(lines: string[], line: string): void {
  if (lines.push(printable(line).slice(0, most.characters)) > most.lines) lines.shift();
}

/** Which builder failed, only an error's text says. It decides no more than which log is shown. */
function logOf(
  builds: readonly Build[],
  unfinished: readonly Build[],
  errors: readonly { readonly text: string }[],
  others: readonly string[],
): readonly string[] {
  const failed = builds.filter(({ drv }) => errors.some(({ text }) => text.includes(drv)));
  const shown = [failed, unfinished].find((some) => some.some(({ lines }) => lines.length > 0)) ?? [];
  const [only] = shown;
  if (only === undefined) return others;
  if (shown.length === 1) return only.lines;
  return shown
    .flatMap(({ drv, lines }) => lines.map((line) => `${derivationName(drv)}> ${line}`))
    .slice(-most.lines);
}

/** `/nix/store/HASH-NAME.drv`: its NAME. */
export function derivationName(path: string): string {
  return oneLine(path.replace(/^.*\/[0-9a-z]{32}-/, '').replace(/\.drv$/, '')).slice(0, 100);
}

/** A path in the copy of some source that Nix makes in its store, or shows in its stead. */
const inSource = /^(?:.*\/[0-9a-z]{32}-source|«[^»]*»)\//;

/** The innermost place in the tree itself, else the innermost of all: a fault in a library has its cause further out. */
function errorOf(text: string, places: readonly NixPlace[], isInTree: (path: string) => boolean): NixError {
  const said = oneLine(text.replace(/\s*\n\s*/g, ' ')).slice(0, 500);
  const known = places.map((place) => ({ ...place, own: place.file.replace(inSource, '') }));
  const place = known.findLast(({ own }) => isInTree(own)) ?? known.at(-1);
  if (place === undefined) return { text: said };
  const file = isInTree(place.own) ? place.own : place.file;
  return { text: said, where: oneLine(`${file}:${place.line}:${place.column}`) };
}
