/**
 * Every failure autark can have, as a value. Exceptions are bugs; whatever may be expected to go wrong
 * travels as a `Result`, with its cause, its place and the next step (P8).
 */

/** The parts of the agent's cycle, in their order. */
export const stages = [
  'poll',
  'verify',
  'plan',
  'step',
  'build',
  'guard',
  'switch',
  'confirm',
  'rollback',
  'record',
] as const;
export type Stage = (typeof stages)[number];

/** Kinds of failure with the exit code that each is known by, also as `code` in state records. */
const exitCodes = {
  unexpected: 1,
  usage: 2,
  'agent-config': 2,
  held: 10,
  locked: 11,
  diverged: 12,
  ended: 13,
  'not-authentic': 20,
  invalid: 21,
  'not-this-host': 22,
  'build-failed': 30,
  'build-timeout': 31,
  'switch-failed': 40,
  'switch-stuck': 41,
  unreachable: 50,
  'push-refused': 51,
  'no-space': 52,
  'step-refused': 60,
  'step-failed': 61,
  'secret-unopened': 62,
} as const;
export type FailureKind = keyof typeof exitCodes;

export function isFailureKind(text: string): text is FailureKind {
  return Object.hasOwn(exitCodes, text);
}

export interface Failure {
  readonly kind: FailureKind;
  /** What happened, as one sentence without secrets. */
  readonly cause: string;
  /** Where: `file:line:column`, a commit, a path, a device. */
  readonly where?: string;
  /** The next step for a person. */
  readonly remedy: string;
  /** The end of a program's output: bounded, control characters already stripped. */
  readonly detail?: string;
}

export type Result<Value, Problem = Failure> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly failure: Problem };

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function fail<Problem>(failure: Problem): { readonly ok: false; readonly failure: Problem } {
  return { ok: false, failure };
}

/** The process exit code, and the `code` of a state record, for a failure of this kind. */
export function exitCode(kind: FailureKind): number {
  return exitCodes[kind];
}

/**
 * Whether the world is at fault rather than the revision: such a failure is retried with backoff, and the
 * revision is never held to be bad for it.
 */
export function isOfTheWorld(kind: FailureKind): boolean {
  return (
    kind === 'locked' ||
    kind === 'unreachable' ||
    kind === 'push-refused' ||
    kind === 'no-space' ||
    kind === 'unexpected'
  );
}

/** One line for people: `cause (where); remedy`. */
export function sentence(failure: Failure): string {
  const where = failure.where === undefined ? '' : ` (${failure.where})`;
  return `${failure.cause}${where}; ${failure.remedy}`;
}
