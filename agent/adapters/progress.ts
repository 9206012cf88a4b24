import type { AgentEvent } from '../../shared/event.ts';
import { progressLine } from '../../shared/render.ts';
import type { Clock, Log } from '../ports.ts';

/** Milliseconds between two lines of the log about the same build. */
const logEvery = 10_000;

/**
 * Passes on what a log can bear of a build's progress: its first sign of life, and then one line now and then.
 * Everything else passes as it is.
 */
export function seldomProgress(log: Log, clock: Clock): Log {
  let saidAt = -Infinity;
  let revision = '';
  return (event) => {
    if (event.kind === 'progress') {
      const isNew = event.revision !== revision;
      if (!isNew && clock.awake() - saidAt < logEvery) return;
      revision = event.revision;
      saidAt = clock.awake();
    }
    log(event);
  };
}

/** What a bar is drawn on: the terminal that also shows the log. */
export interface BarTerminal {
  readonly write: (text: string) => unknown;
  /** Columns; read anew for each drawing, for a window may be resized. */
  readonly columns: () => number;
}

/** Keeps one line below the log that shows how far a build is; what is logged meanwhile comes out above it. */
export function progressBar(log: Log, terminal: BarTerminal): Log {
  let isDrawn = false;
  const erase = (): void => {
    if (isDrawn) terminal.write('\r\u001b[K');
    isDrawn = false;
  };
  return (event) => {
    erase();
    if (event.kind !== 'progress') {
      log(event);
      return;
    }
    terminal.write(`\r${barOf(event, terminal.columns())}`);
    isDrawn = true;
  };
}

/** Cells of the bar itself. */
const cells = 20;

/** Never as wide as the terminal: a line that wraps cannot be erased. */
function barOf({ progress }: Extract<AgentEvent, { kind: 'progress' }>, columns: number): string {
  const { done, expected } = progress;
  const full = expected === 0 ? 0 : Math.min(cells, Math.floor((done / expected) * cells));
  const bar = `[${'#'.repeat(full)}${'-'.repeat(cells - full)}] ${progressLine(progress)}`;
  return bar.slice(0, Math.max(0, columns - 1));
}
