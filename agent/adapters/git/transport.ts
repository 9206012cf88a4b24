import { withoutCredentials } from '../../../shared/credentials.ts';
import type { Bounds } from '../../ports.ts';
import type { Finished } from '../process/run.ts';
import { gitCommand, type GitCommand, type GitPost } from './command.ts';
import { parseRemote } from './remote.ts';

/** What must be in nothing that a git prints, and where redirects are looked up. */
export interface Transport {
  /** The remotes by name, with their credentials. */
  readonly remotes: Readonly<Record<string, string>>;
  /** Passwords and tokens as they are now. */
  readonly secrets: () => readonly string[];
}

/**
 * Runs a git that talks to a server. A server knows what it was sent, and may say it: known secrets are cut out of
 * what comes back. Where one redirects, the address follows as a line `redirected to URL`.
 */
export function transportCommand(post: GitPost, { remotes, secrets }: Transport): GitCommand {
  const command = gitCommand(post);
  const traced = gitCommand({
    ...post,
    env: { ...post.env, GIT_TRACE_CURL: '2', GIT_TRACE_CURL_NO_DATA: '1' },
  });
  return async (args, bounds, input) => {
    const begun = performance.now();
    const ran = await command(args, bounds, input);
    const isPush = args[0] === 'push';
    const name = args.find((word) => Object.hasOwn(remotes, word));
    if (name === undefined || !/returned error: 30[12378]\b/.test(ran.tail)) {
      return without(secrets(), ran, isPush);
    }
    const left = Math.max(1, bounds.timeout - (performance.now() - begun));
    const target = await redirectOf(traced, name, remotes[name] ?? '', { ...bounds, timeout: left });
    const told =
      target === undefined ? ran : { ...ran, tail: `${ran.tail.trimEnd()}\nredirected to ${target}\n` };
    return without(secrets(), told, isPush);
  };
}

/** Asks once more, with the headers shown (git(1), `GIT_TRACE_CURL`): git itself does not say where it was sent. */
async function redirectOf(
  traced: GitCommand,
  name: string,
  remote: string,
  bounds: Bounds,
): Promise<string | undefined> {
  const { tail } = await traced(['ls-remote', '--quiet', name, 'HEAD'], bounds);
  const location = /<= Recv header: location: *(\S+)/i.exec(tail)?.[1];
  if (location === undefined) return undefined;
  try {
    const { url } = parseRemote(remote);
    const target = new URL(location, `${url.replace(/\/$/, '')}/info/refs`);
    if (!/^https?:$/.test(target.protocol)) return undefined;
    return withoutCredentials(target.href.replace(/\/info\/refs(\?.*)?$/, ''));
  } catch {
    return undefined;
  }
}

/** A word shorter than this is in too much that is no secret. */
const shortest = 4;

/** Of what is read by machine only the report of a push holds words of the server's. */
function without(secrets: readonly string[], ran: Finished, isPush: boolean): Finished {
  // The longest first: one may begin another.
  const hidden = secrets.filter((secret) => secret.length >= shortest).sort((a, b) => b.length - a.length);
  if (hidden.length === 0) return ran;
  const cut = (text: string): string => hidden.reduce((whole, secret) => whole.replaceAll(secret, '…'), text);
  const stdout = isPush ? Buffer.from(cut(Buffer.from(ran.stdout).toString('utf8'))) : ran.stdout;
  return { ...ran, tail: cut(ran.tail), stdout };
}
