import type { Failure, Result } from '../../shared/failure.ts';
import type { AgentHost } from '../host.ts';
import type { Clone, CloneEditor, SecretDesk, Terminal } from '../clone-ports.ts';
import type { CloneProbe, HostProbe } from '../doctor-ports.ts';
import type { BootSecrets } from '../secret-ports.ts';

/** The roles that verbs may ask for; each is wired, and loads its adapters, only when it is called. */
export interface Roles {
  clone(signal: AbortSignal): Promise<Result<Clone>>;
  /** A clone of which no branch need be checked out. */
  anyClone(signal: AbortSignal): Promise<Result<Clone>>;
  cloneEditor(signal: AbortSignal): Promise<Result<CloneEditor>>;
  /** Where a person's secrets are sealed and opened. */
  secretDesk(): Promise<SecretDesk>;
  randomId(): Promise<string>;
  /** The machine whose files lie below this absolute folder. */
  agentHost(root: string): Promise<AgentHost>;
  /**
   * The secrets of that machine, and nothing else of it.
   * @param isEarly before there are all users, and what knows of them
   */
  bootSecrets(root: string, isEarly: boolean): Promise<BootSecrets>;
  /** The same machine and the same clone for `doctor`, which changes nothing there. */
  hostProbe(root: string): Promise<HostProbe>;
  cloneProbe(signal: AbortSignal): Promise<Result<CloneProbe>>;
}

/** What a verb finds around it. */
export interface Context {
  readonly terminal: Terminal;
  readonly roles: Roles;
  /** `--root`: where a host's files lie. */
  readonly root: string;
  /** Aborted by SIGINT, SIGQUIT or SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Registers what SIGHUP does; without a listener it ends the process, as usual. */
  readonly onHangup: (listener: () => void) => void;
  /** An absolute path, or a path below the current directory. */
  readonly resolve: (path: string) => string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How this very program is called: absolute paths of Node and of its first file. */
  readonly program: readonly string[];
}

/** The arguments after parsing: each option at most once, unless it may be repeated. */
export interface Arguments {
  /** A positional by name. */
  positional(name: string): string | undefined;
  /** The positionals that may be repeated. */
  readonly rest: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

/** What a verb does; the value is its exit code. */
export type Act = (args: Arguments, context: Context) => Promise<Result<number>>;

export interface OptionForm {
  readonly describe: string;
  /** What stands for the value in the help; absent for a flag. */
  readonly value?: string;
  readonly choices?: readonly string[];
  readonly repeats?: boolean;
}

export interface PositionalForm {
  readonly name: string;
  readonly describe: string;
  readonly need: 'one' | 'optional' | 'any' | 'some';
  readonly choices?: readonly string[];
}

/** One verb as the command line knows it before its code is loaded. */
export interface Verb {
  readonly name: string;
  readonly summary: string;
  readonly positionals?: readonly PositionalForm[];
  readonly options?: Readonly<Record<string, OptionForm>>;
  readonly examples?: readonly (readonly [command: string, meaning: string])[];
  /** Exit codes besides 0, 1 and 2. */
  readonly exits?: readonly (readonly [code: number, meaning: string])[];
  /** The exit code for a failure; 2 for usage and else 1 when absent. */
  readonly exitFor?: (failure: Failure) => number;
  readonly load: () => Promise<Act>;
}

/** A wrong call: exit 2, with what to read next. */
export function usage(verb: string | null, cause: string, hint?: string): Failure {
  const help = verb === null ? 'autark --help' : `autark ${verb} --help`;
  return { kind: 'usage', cause, remedy: `${hint === undefined ? '' : `${hint}, or `}run ${help}` };
}
