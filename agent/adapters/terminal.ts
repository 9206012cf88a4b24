import type { ReadStream, WriteStream } from 'node:tty';
import type { Terminal } from '../clone-ports.ts';

export interface TerminalStreams {
  readonly input: ReadStream;
  readonly output: WriteStream;
  readonly notes: WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends a question. */
  readonly signal: AbortSignal;
}

/** The terminal over the process's own streams. A reader that went away (EPIPE) ends the output silently. */
export function terminalOf(streams: TerminalStreams): Terminal {
  const { input, output, notes, env } = streams;
  for (const stream of [output, notes]) {
    stream.on('error', (error: Error) => {
      if (!isGone(error, stream)) throw error;
    });
  }
  const isTerminal = output.isTTY;
  // A terminal that does not know its size says 0.
  const width = () => (output.isTTY ? output.columns || 80 : Infinity);
  return {
    out: (text) => void output.write(text === '' || text.endsWith('\n') ? text : `${text}\n`),
    note: (line) => void notes.write(`${line}\n`),
    isTerminal,
    canAsk: input.isTTY && notes.isTTY,
    // A getter: a window may be resized while `--watch` runs.
    get width() {
      return width();
    },
    colour: isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    confirm: (question) => confirm(question, streams),
    ask: async (question) => (await ask(question, streams)).trim(),
    askHidden: (question) => askHidden(question, streams),
  };
}

async function confirm(question: string, streams: TerminalStreams): Promise<boolean> {
  return /^\s*y(es)?\s*$/i.test(await ask(`${question} [y/N]`, streams));
}

/** Asks in the terminal's own line mode, so that Ctrl-C stays a signal and reaches the caller's. */
async function ask(question: string, { input, notes, signal }: TerminalStreams): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input, output: notes, terminal: false });
  const closed = new Promise<string>((resolve) => {
    // The end of input is an empty answer.
    lines.once('close', () => {
      resolve('');
    });
  });
  try {
    return await Promise.race([lines.question(`${question} `, { signal }), closed]);
  } catch (error) {
    if (signal.aborted) return '';
    throw error;
  } finally {
    lines.close();
  }
}

/** What arrives this soon after a line was typed by nobody: it was pasted with it. In milliseconds. */
const pasted = 100;

/**
 * Without echo: readline reads key by key, and writes to nowhere. Ctrl-C is no signal then, so one is raised for it, as
 * the terminal would have; it ends the question once it has arrived, so that whoever asked sees an interrupt and no answer.
 * Lines that are pasted at once are one answer with line ends in it: none of them is left out unseen.
 */
async function askHidden(question: string, { input, notes, signal }: TerminalStreams): Promise<string> {
  const [{ createInterface }, { Writable }] = await Promise.all([
    import('node:readline'),
    import('node:stream'),
  ]);
  const output = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  // Before the question: what is typed as soon as it is seen is not shown either.
  const lines = createInterface({ input, output, terminal: true, historySize: 0 });
  notes.write(`${question} `);
  const close = () => {
    lines.close();
  };
  signal.addEventListener('abort', close);
  try {
    const typed: string[] = [];
    await new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        if (typed.push(line) === 1) setTimeout(resolve, pasted);
      });
      lines.once('close', resolve);
      lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
      if (signal.aborted) close();
    });
    if (signal.aborted) return '';
    return [...typed, ...(typed.length > 0 && lines.line !== '' ? [lines.line] : [])].join('\n');
  } finally {
    signal.removeEventListener('abort', close);
    lines.close();
    notes.write('\n');
  }
}

/** A reader that went away; a terminal that did says EIO. */
function isGone(error: Error, { isTTY }: WriteStream): boolean {
  return 'code' in error && (error.code === 'EPIPE' || (isTTY && error.code === 'EIO'));
}
