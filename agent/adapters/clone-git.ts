import { simpleGit } from 'simple-git';
import { withoutCredentials } from '../../shared/credentials.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { printable } from '../../shared/printable.ts';

export interface CloneSurroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface GitCall {
  readonly input?: string | Uint8Array;
  /** On top of the person's own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs git in a person's clone; the problem is what git said. */
export type CloneGit = (args: readonly string[], call?: GitCall) => Promise<Result<Buffer, string>>;

/**
 * git by way of simple-git, as the person would run it: with their own environment, configuration and
 * credentials. Nothing here comes from a stranger but ref names, and those are passed in full.
 */
export function cloneGit({ cwd, env, signal }: CloneSurroundings): CloneGit {
  return async (args, call = {}) => {
    const chunks: Buffer[] = [];
    try {
      await simpleGit({
        baseDir: cwd,
        abort: signal,
        // Both default to a delay of 50 ms after every command that prints nothing.
        completion: { onClose: true, onExit: false },
        allowEnvironment: [...Object.keys(env), ...Object.keys(call.env ?? {}), ...Object.keys(plain)],
        unsafe: ownEnvironment,
        input: () => (call.input === undefined ? undefined : Buffer.from(call.input)),
      })
        .env({ ...plainEnvironment(env), ...call.env })
        // The answer as bytes: simple-git itself hands out text only.
        .outputHandler((_command, stdout) => stdout.on('data', (chunk: Buffer) => chunks.push(chunk)))
        .raw([...args]);
      return ok(Buffer.concat(chunks));
    } catch (error) {
      return fail(withoutCredentials(error instanceof Error ? error.message : String(error)));
    }
  };
}

/** The failure of a git that was expected to work. */
export function gitFailure(doing: string, said: string, where?: string): Failure {
  return {
    kind: 'unexpected',
    cause: `git could not ${doing}`,
    ...(where === undefined ? {} : { where }),
    remedy: 'mend what git names below, and run the command again',
    detail: printable(said).trim(),
  };
}

/** Words that are matched on are in English; names are looked at as they are (no replace refs). */
const plain = { LC_ALL: 'C', GIT_NO_REPLACE_OBJECTS: '1', GIT_OPTIONAL_LOCKS: '0' };

/** What the person set in their own environment is theirs to set. */
const ownEnvironment = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeDiffExternal: true,
  allowUnsafeEditor: true,
  allowUnsafeExec: true,
  allowUnsafeGitProxy: true,
  allowUnsafePager: true,
  allowUnsafeSshCommand: true,
  allowUnsafeTemplateDir: true,
};

/** The person's environment as git gets it. */
export function plainEnvironment(env: CloneSurroundings['env']): Record<string, string> {
  const given = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(given), ...plain };
}
