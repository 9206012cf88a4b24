import { withoutCredentials } from '../../../shared/credentials.ts';
import type { Failure, FailureKind } from '../../../shared/failure.ts';
import { oneLine } from '../../../shared/printable.ts';
import type { Finished } from '../process/run.ts';
import type { Bounds } from '../../ports.ts';
import { explain, type Destination } from './explain.ts';
import type { Side } from './servers.ts';

/** What was tried, for the sentence. */
export interface Attempt {
  /** To follow "git": `fetch`. */
  readonly doing: string;
  readonly where: string;
  /** Milliseconds. */
  readonly timeout: number;
  /** The kind when git itself reports an error. */
  readonly kind: FailureKind;
  readonly remedy: string;
  /** The server, when it is elsewhere: then git's words are explained. */
  readonly server?: Destination;
}

export const remoteRemedy =
  'check the network, the server and `remote` in agent.yaml; the agent tries again by itself';

const slowRemedy =
  'look whether the server answers in time, and what stands between; `timeouts.fetch` in fleet.yaml gives it longer; ' +
  'the agent tries again by itself';

/** A git that did not end with 0, as a failure: by how it ended first, by its own words only for the cause. */
export function gitFailure(ran: Finished, attempt: Attempt): Failure {
  const { doing, where, timeout } = attempt;
  const detail = [...new Set(withoutCredentials(ran.tail).trim().split('\n'))].join('\n');
  const base = {
    kind: 'unreachable',
    where,
    remedy: remoteRemedy,
    ...(detail === '' ? {} : { detail }),
  } as const;
  switch (ran.ending.how) {
    case 'exited': {
      const code = ran.ending.code;
      const cause = usefulLine(detail) ?? `git ${doing} ended with exit code ${code}`;
      const explained = attempt.server === undefined ? undefined : explain(detail, attempt.server);
      return { ...base, kind: attempt.kind, remedy: attempt.remedy, cause, ...explained };
    }
    case 'signalled':
      return {
        ...base,
        kind: 'unexpected',
        cause: `git ${doing} was ended by ${ran.ending.signal}`,
        remedy:
          'look for what ended it, such as a lack of memory (journalctl -k); the agent tries again by itself',
      };
    case 'timeout':
      return { ...base, cause: `git ${doing} took longer than ${timeout / 1000} s`, remedy: slowRemedy };
    case 'flooded':
      return { ...base, cause: `git ${doing} was ended: the server sends endless messages` };
    case 'aborted':
      return { ...base, cause: `git ${doing} was stopped`, remedy: 'it is begun again when it is needed' };
    case 'unstartable':
      return {
        ...base,
        kind: 'unexpected',
        cause: `git cannot be started: ${ran.ending.reason}`,
        remedy: 'install git where the agent can find it (PATH)',
      };
  }
}

/** The failure of a git that talked to a server. */
export function remoteFailure(
  ran: Finished,
  doing: string,
  side: Side,
  { timeout }: Pick<Bounds, 'timeout'>,
): Failure {
  return gitFailure(ran, { doing, remedy: remoteRemedy, ...side, timeout, kind: 'unreachable' });
}

/** What git and ssh say besides the reason. */
const noise = /^(hint:|warning:|please make sure|and the repository exists|error: failed to push some refs)/i;
const summary = /^fatal: (could not read from remote repository|the remote end hung up)/i;

/** The line of git's messages that tells most, without its prefix. */
export function usefulLine(text: string): string | undefined {
  const lines = text
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '' && !noise.test(line));
  const telling = lines.filter((line) => !summary.test(line));
  const best = telling.find((line) => /^(fatal|error):/.test(line)) ?? telling.at(-1) ?? lines[0];
  return best?.replace(/^(fatal|error|remote): */, '').slice(0, 300);
}

/** Whether git refused an object (`fsckObjects`) rather than failed to get it. */
export function saysRefused(tail: string): boolean {
  return /fsck error in packed object/i.test(tail);
}

/** Whether git left a branch where it was, with no more than a warning, because the server's history has an edge. */
export function saysShallow(tail: string): boolean {
  return /because shallow roots are not allowed to be updated/.test(tail);
}
