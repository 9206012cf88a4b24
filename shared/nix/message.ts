/**
 * What Nix says with `--log-format internal-json`: one object a line on standard error, after `@nix ` (Nix manual,
 * "--log-format"; src/libutil/logging.cc and the types of logging.hh, the same from 2.8 to 2.34).
 */

/** A place in a file, as Nix names it: the file may carry line and column itself. */
export interface NixPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type NixMessage =
  | {
      readonly kind: 'start';
      readonly id: string;
      readonly type: number;
      readonly fields: readonly unknown[];
    }
  | { readonly kind: 'stop'; readonly id: string }
  | {
      readonly kind: 'result';
      readonly id: string;
      readonly type: number;
      readonly fields: readonly unknown[];
    }
  /** An error; what led to it, the outermost first, comes as places only. */
  | { readonly kind: 'error'; readonly text: string; readonly places: readonly NixPlace[] };

/** Types of activities and results that mean something here. */
export const activity = { copies: 103, builds: 104, build: 105 } as const;
export const result = { logLine: 101, phase: 104, progress: 105 } as const;

/**
 * One line of standard error; `null` for a line that is no such message, or one that says nothing here. Never throws:
 * builders can write to this stream too.
 */
export function parseNixMessage(line: string): NixMessage | null {
  const object = objectIn(line);
  if (object === null) return null;
  const { action, type, fields } = object;
  // A number with up to 64 bits: as text, for a double would make two of them one.
  const id = /"id":(\d+)/.exec(line)?.[1] ?? '';
  const about = {
    id,
    type: typeof type === 'number' ? type : -1,
    fields: Array.isArray(fields) ? fields : [],
  };
  switch (action) {
    case 'start':
      return { kind: 'start', ...about };
    case 'result':
      return { kind: 'result', ...about };
    case 'stop':
      return { kind: 'stop', id };
    case 'msg':
      return object['level'] === 0 ? errorIn(object) : null;
    default:
      return null;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function objectIn(line: string): Fields | null {
  if (!line.startsWith('@nix {')) return null;
  try {
    const value: unknown = JSON.parse(line.slice(5));
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Level 0 without `raw_msg` is a hint to the person at a terminal, such as `use --show-trace`. */
function errorIn(object: Fields): NixMessage | null {
  const text = object['raw_msg'];
  if (typeof text !== 'string') return null;
  const trace = Array.isArray(object['trace']) ? object['trace'].filter(isFields) : [];
  // The trace has the innermost first.
  const places = [...trace.reverse(), object].map(placeIn).filter((place) => place !== null);
  return { kind: 'error', text, places };
}

function placeIn({ file, line, column }: Fields): NixPlace | null {
  if (typeof file !== 'string' || typeof line !== 'number') return null;
  const place = { line, column: typeof column === 'number' ? column : 1 };
  const suffix = `:${place.line}:${place.column}`;
  // From 2.20 on the file has them behind it.
  return { file: file.endsWith(suffix) ? file.slice(0, -suffix.length) : file, ...place };
}
