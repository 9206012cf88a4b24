import type { Draft } from '../cycle/phase.ts';
import type { ObjectId } from '../objects/object.ts';

/** A state commit's message, taken apart. */
export interface Message {
  readonly subject: string;
  readonly detail: readonly string[];
  /** By key as written, such as `Autark-Seq`; the last one wins, as in git-interpret-trailers(1). */
  readonly trailers: ReadonlyMap<string, string>;
}

const trailerLine = /^([A-Za-z][A-Za-z-]*): (.*)$/;

/**
 * The message of a state commit: a subject for people, a few lines of detail, and trailers for machines, in
 * the form that git-interpret-trailers(1) reads. The genesis names no genesis, for it cannot know its own id.
 */
export function formatMessage(draft: Draft, genesis: ObjectId | null): string {
  const { status } = draft;
  const trailers: [string, string | number | undefined][] = [
    ['Fleet', status.fleet],
    ['Host', status.host],
    ['Genesis', genesis ?? undefined],
    ['Replaces', draft.replaces],
    ['Seq', status.seq],
    ['Event', status.outcome.event],
    ['Revision', status.system?.revision],
    ['Attempted', status.outcome.attempted],
    ['Generation', status.system?.generation],
    ['System', status.system?.path],
    ['Seconds', totalSeconds(status.outcome.seconds)],
  ];
  const lines = trailers.flatMap(([key, value]) =>
    value === undefined ? [] : [`Autark-${key}: ${String(value)}`],
  );
  // An indented line is neither a trailer nor the end of a paragraph, whatever text a program left in it.
  const detail = draft.detail.map((line) => `  ${line}`);
  const paragraphs = [[draft.subject], detail, lines].filter((paragraph) => paragraph.length > 0);
  return paragraphs.map((paragraph) => `${paragraph.join('\n')}\n`).join('\n');
}

/** Takes a message apart; whatever is not in its place is simply not found, and never throws. */
export function parseMessage(message: string): Message {
  const paragraphs = message.trimEnd().split(/\n{2,}/);
  const subject = paragraphs[0] ?? '';
  const last = paragraphs.length > 1 ? (paragraphs.at(-1)?.split('\n') ?? []) : [];
  const found = last.map((line) => trailerLine.exec(line));
  const isTrailers = found.length > 0 && found.every((match) => match !== null);
  const trailers = new Map(isTrailers ? found.map((match) => [match[1] ?? '', match[2] ?? '']) : []);
  const middle = paragraphs.slice(1, isTrailers ? -1 : undefined);
  return { subject, detail: middle.flatMap((text) => text.split('\n')).map((line) => line.trim()), trailers };
}

function totalSeconds(seconds: Readonly<Record<string, number>> | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  return Object.values(seconds)
    .reduce((sum, each) => sum + each, 0)
    .toFixed(1);
}
