import { parseCommit, serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import { type Files, type FleetHost, keyAt, type Server, type Status } from './fleet.ts';

/** How a record differs from the host's newest one. */
export interface Forgery {
  /** The host's own key if not given: a host that lies. `null`: unsigned. */
  readonly key?: PrivateKey | null;
  readonly parents?: readonly string[];
  readonly status?: (status: Status) => object;
  readonly message?: (message: string) => string;
  /** What its tree holds besides, or no more. */
  readonly files?: Files;
}

/** Puts a record on top of a host's state branch that the host never made, and moves the branch there. */
export async function forge(server: Server, host: FleetHost, forgery: Forgery): Promise<string> {
  const { git } = server;
  const ref = `refs/heads/state/${host.name}`;
  const tip = await git(['rev-parse', ref]);
  const status = JSON.parse(await git(['show', `${tip}:status.json`])) as Status;
  const text = await git(['log', '-1', '--format=%B', tip]);
  const seq = status.seq + 1;
  const { key = keyAt(host.path('var/lib/autark/key')), parents = [tip] } = forgery;
  const changed = { ...status, seq, ...forgery.status?.({ ...status, seq }) };
  const message = text.replace(/Autark-Seq: \d+/, `Autark-Seq: ${seq}`);
  return server.commit({
    ...{ ref, key, parents, tree: tip },
    files: { ...forgery.files, 'status.json': `${JSON.stringify(changed, null, 2)}\n` },
    subject: (forgery.message?.(message) ?? message).trimEnd(),
  });
}

/** A record copied onto another parent, signed anew by the host's own key: good by itself, and no good chain. */
export async function regraft(
  { git }: Server,
  key: PrivateKey,
  { above, parent }: { readonly above: string; readonly parent: string },
): Promise<string> {
  const commit = parseCommit(Buffer.from(`${await git(['cat-file', 'commit', above])}\n`));
  if (!commit.ok) throw new Error(`${above} is no commit: ${commit.failure}`);
  const { tree, author, committer, message, parents } = commit.value;
  const payload = serialiseCommit({
    ...{ tree, author, committer, message },
    parents: [parent, ...parents.slice(1)],
  });
  const input = withSignature(payload, signWith(key, 'git', payload));
  return git(['hash-object', '-t', 'commit', '-w', '--stdin'], input);
}
