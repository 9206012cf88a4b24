import { sentence, type Failure } from '../../shared/failure.ts';
import { oneLine, printable } from '../../shared/printable.ts';
import { signalCode } from '../../shared/signal.ts';
import type { Terminal } from '../clone-ports.ts';
import { nearest } from '../../shared/fleet/name.ts';
import { parse, verbName } from './parse.ts';
import { usage, type Roles, type Verb } from './verb.ts';
import { verbs } from './verbs.ts';

/** What the command line is given to work with. */
export interface Stage {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly roles: Roles;
  readonly now: () => number;
  readonly onHangup: (listener: () => void) => void;
  readonly resolve: (path: string) => string;
  readonly program: readonly string[];
  /** Whether a bug shows its stack. */
  readonly debug: boolean;
}

/**
 * Runs one call of autark and says what it exits with. The one place where an exception, which is always a
 * bug, becomes a sentence.
 */
export async function run(argv: readonly string[], stage: Stage): Promise<number> {
  const name = verbName(argv);
  const verb = verbs.find((each) => each.name === name);
  try {
    return verb === undefined ? await withoutVerb(argv, name, stage) : await call(verb, argv, stage);
  } catch (error) {
    if (stage.signal.aborted) return signalCode(stage.signal.reason);
    stage.terminal.note(bug(error, stage.debug));
    return verb?.exitFor?.(unexpected) ?? 1;
  }
}

async function call(verb: Verb, argv: readonly string[], stage: Stage): Promise<number> {
  const { terminal, resolve } = stage;
  const parsed = await parse(verb, argv);
  if (!parsed.ok) return report(parsed.failure, verb, terminal);
  const { args, root, help } = parsed.value;
  if (help) {
    terminal.out((await import('./help.ts')).pageOf(verb, terminal));
    return 0;
  }
  const act = await verb.load();
  const acted = await act(args, { ...stage, root: resolve(root) });
  if (acted.ok) return acted.value;
  if (stage.signal.aborted) return signalCode(stage.signal.reason);
  return report(acted.failure, verb, terminal);
}

async function withoutVerb(
  argv: readonly string[],
  name: string | undefined,
  { terminal }: Stage,
): Promise<number> {
  if (name === undefined && argv.some((word) => word === '--help' || word === '-h')) {
    terminal.out((await import('./help.ts')).overview(terminal));
    return 0;
  }
  return report(withoutVerbFailure(argv, name), undefined, terminal);
}

function withoutVerbFailure(argv: readonly string[], name: string | undefined): Failure {
  if (name !== undefined) {
    const near = nearest(
      name,
      verbs.map((verb) => verb.name),
    );
    return usage(null, `there is no verb “${name}”`, near === undefined ? undefined : `try autark ${near}`);
  }
  const option = argv.find((word) => word.startsWith('-'));
  if (option === undefined) return usage(null, 'no verb is given');
  return usage(null, `${option} needs a verb before it`);
}

function report(failure: Failure, verb: Verb | undefined, terminal: Terminal): number {
  terminal.note(`autark: ${oneLine(sentence(failure))}`);
  if (failure.detail !== undefined && failure.detail !== '')
    terminal.note(indented(printable(failure.detail)));
  return verb?.exitFor?.(failure) ?? (failure.kind === 'usage' ? 2 : 1);
}

function indented(text: string): string {
  return text.trimEnd().replace(/^/gm, '  ');
}

const unexpected: Failure = { kind: 'unexpected', cause: '', remedy: '' };

function bug(error: unknown, debug: boolean): string {
  const message = error instanceof Error ? error.message : String(error);
  const first = `autark: this is a bug in autark: ${oneLine(message)}; report it, with AUTARK_DEBUG=1 for where it happened`;
  return debug && error instanceof Error ? `${first}\n${printable(error.stack ?? '')}` : first;
}
