import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import { signWith } from '../../shared/trust/sshsig.ts';
import type { Server } from '../rig/fleet.ts';

/** A commit letter by letter, for those that git would not make. */
export interface Forged {
  /** A tree, or a commit that has it; of the first parent if not given. */
  readonly tree?: string;
  readonly parents: readonly string[];
  /** Whoever signs; nobody if not given. */
  readonly key?: PrivateKey;
  /** What the signature is for. */
  readonly namespace?: string;
  /** Of author and committer, since the epoch. */
  readonly seconds?: number;
  /** Header lines after the committer's, before the signature. */
  readonly headers?: readonly string[];
  /** Header lines after the signature, which it does not cover. */
  readonly unsigned?: readonly string[];
  readonly message?: string;
}

/** Writes the commit into the repository and gives its id; no ref moves. */
export async function forge({ git }: Server, forged: Forged): Promise<string> {
  const { parents, key, namespace = 'git', headers = [], unsigned = [], message = 'Forged\n' } = forged;
  const tree = await git(['rev-parse', `${forged.tree ?? parents[0] ?? ''}^{tree}`]);
  const seconds = forged.seconds ?? Math.floor(Date.now() / 1000);
  const who = `Alice <alice@example.org> ${seconds} +0000`;
  const above = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${who}`,
    `committer ${who}`,
    ...headers,
  ];
  const signature =
    key === undefined ? [] : [header('gpgsig', signWith(key, namespace, lines(above, message)))];
  return git(
    ['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'],
    lines([...above, ...signature, ...unsigned], message),
  );
}

/** A header whose further lines are marked by a space (gitformat-signature(5)). */
export function header(name: string, text: string): string {
  return `${name} ${text.trimEnd().replaceAll('\n', '\n ')}`;
}

function lines(headers: readonly string[], message: string): Buffer {
  return Buffer.from(`${headers.join('\n')}\n\n${message}`);
}

/** An entry of a tree: mode, name and object. */
export type Entry = readonly [mode: string, name: string, id: string];

/** Writes a tree as it is given, in whatever order and with whatever names. */
export function tree({ git }: Server, entries: readonly Entry[]): Promise<string> {
  const parts = entries.map(([mode, name, id]) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')]),
  );
  return git(['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], Buffer.concat(parts));
}

export function blob({ git }: Server, content: string | Uint8Array): Promise<string> {
  return git(['hash-object', '-w', '--stdin'], content);
}

/** The tree of a commit with more entries at its root. */
export async function treeWith(server: Server, commit: string, more: readonly Entry[]): Promise<string> {
  const listed = (await server.git(['ls-tree', commit])).split('\n');
  const entries = listed.map((line): Entry => {
    const [, mode = '', id = '', name = ''] = /^0*(\d+) \w+ ([0-9a-f]{40})\t(.*)$/.exec(line) ?? [];
    return [mode, name, id];
  });
  // As git sorts them: a folder as if its name ended in a slash.
  const key = ([mode, name]: Entry): string => (mode === '40000' ? `${name}/` : name);
  const order = (a: Entry, b: Entry): number => Buffer.compare(Buffer.from(key(a)), Buffer.from(key(b)));
  return tree(server, [...entries, ...more].sort(order));
}
