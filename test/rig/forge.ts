import { parseCommit, serialiseCommit, withSignature } from '../../shared/objects/commit.ts';
import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import type { Server } from './fleet.ts';

/** A record copied onto another parent, signed anew by the host's own key: good by itself, and no good chain. */
export async function forge(
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
