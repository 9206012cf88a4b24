import { withoutCredentials } from '../../../shared/credentials.ts';
import type { Failure } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { RefUpdate } from '../../git-ports.ts';
import type { Finished } from '../process/run.ts';
import { gitFailure, remoteRemedy, usefulLine } from './failures.ts';
import type { RemoteName } from './config.ts';
import type { Side } from './servers.ts';

/** Each update compares and swaps (git-push(1), `--force-with-lease=REF:EXPECTED`; empty means absent), or is forced. */
export function pushArguments(remote: RemoteName, updates: readonly RefUpdate[]): string[] {
  return [
    'push',
    '--porcelain',
    '--no-verify',
    '--no-signed',
    ...updates.flatMap(({ ref, expected, isForced }) =>
      isForced === true ? [] : [`--force-with-lease=${ref}:${expected ?? ''}`],
    ),
    remote,
    ...updates.map(({ ref, to, isForced }) => `${isForced === true ? '+' : ''}${to ?? ''}:${ref}`),
  ];
}

/** One ref that was not updated. */
export interface Refusal {
  readonly ref: string;
  /** `stale`: it was not where we expected it; `lost`: nobody knows; `refused`: the server would not. */
  readonly how: 'stale' | 'lost' | 'refused';
  readonly reason: string;
}

/** The `!` lines of git-push(1), "OUTPUT", with `--porcelain`: flag, `from:to`, `[summary] (reason)`, by tabs. */
export function parseRefusals(stdout: string): Refusal[] {
  return stdout.split('\n').flatMap((line) => {
    const [flag, refs, text] = line.split('\t');
    if (flag !== '!' || refs === undefined || text === undefined) return [];
    const reason = /\((.*)\)\s*$/.exec(text)?.[1] ?? text;
    const how = reason === 'stale info' ? 'stale' : text.startsWith('[remote failure]') ? 'lost' : 'refused';
    return [{ ref: refs.slice(refs.indexOf(':') + 1), how, reason: oneLine(reason) }];
  });
}

/** Why a push did not succeed: the first update that was refused, else what git says. */
export function pushFailure(
  ran: Finished,
  updates: readonly RefUpdate[],
  side: Side,
  timeout: number,
): Failure {
  const refusals = ran.ending.how === 'exited' ? parseRefusals(Buffer.from(ran.stdout).toString('utf8')) : [];
  const first = updates.flatMap(({ ref }) => refusals.filter((refusal) => refusal.ref === ref))[0];
  // 128: git gave up (the connection, usually). Else it did not even try, as with an object that is not there.
  const gaveUp = ran.ending.how === 'exited' && ran.ending.code === 128;
  const kind = gaveUp || first?.how === 'lost' ? 'unreachable' : 'unexpected';
  const general = gitFailure(ran, { doing: 'push', remedy: remoteRemedy, ...side, timeout, kind });
  if (first === undefined || first.how === 'lost') return general;
  if (first.how === 'stale') {
    return {
      ...general,
      kind: 'push-refused',
      cause: `${first.ref} on the server is not where it was expected`,
      remedy: 'the agent reads it again and decides anew',
    };
  }
  return {
    ...general,
    kind: 'push-refused',
    cause: `the server refused to change ${first.ref}: ${withoutCredentials(first.reason)}${furtherWords(ran.tail)}`,
    remedy: 'give this host write access to that branch, and look at the hooks of the server',
  };
}

/** The first line that the server itself printed, such as a hook's reason; else git's own. */
function furtherWords(tail: string): string {
  const text = withoutCredentials(tail);
  const line =
    text
      .split('\n')
      .find((said) => /^remote: *\S/.test(said))
      ?.slice(7) ?? usefulLine(text);
  return line === undefined ? '' : `: ${oneLine(line).slice(0, 200)}`;
}
