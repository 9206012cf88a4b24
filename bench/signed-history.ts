import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writePack } from '../agent/adapters/git/pack.ts';
import { serialiseCommit, withSignature } from '../shared/objects/commit.ts';
import { objectId, type GitObject, type ObjectId, type ObjectType } from '../shared/objects/object.ts';
import { serialiseTree, type TreeItem } from '../shared/objects/tree.ts';
import { formatAllowedSigner } from '../shared/trust/allowed-signers.ts';
import { formatPrivateKey, parsePrivateKey, type PrivateKey } from '../shared/trust/ssh-key.ts';
import { signWith } from '../shared/trust/sshsig.ts';
import { must } from '../test/rig/run.ts';
import type { World } from '../test/rig/world.ts';

/** One commit in so many changes who may sign. */
const change = 100;
/** One commit in so many is a merge, of a branch of one commit. */
const merge = 20;

/** What is being made: objects of a pack, and where the branch and its signers are. */
interface Making {
  readonly put: (type: ObjectType, bytes: Uint8Array) => ObjectId;
  readonly items: readonly TreeItem[];
  readonly admin: PrivateKey;
  signers: ObjectId;
  /** A second admin, for as long as the branch names one. */
  second: PrivateKey | undefined;
}

/**
 * Puts so many signed commits on top of the world's branch, all at once: a process for each would take minutes.
 * Each changes a file beside the others of the root. One in a hundred changes `allowed_signers`: a second admin comes,
 * with a key of their own, or goes, and while there is one, the two sign in turns. One in twenty is a merge.
 */
export async function growHistory(world: World, count: number): Promise<void> {
  const env = { ...world.env, GIT_DIR: world.remote };
  const objects: GitObject[] = [];
  const put = (type: ObjectType, bytes: Uint8Array): ObjectId => {
    objects.push({ type, bytes });
    return objectId({ type, bytes });
  };
  const before = await must('git', ['rev-parse', 'refs/heads/main'], { env });
  const items = await rootOf(before, env);
  const signers = items.find(({ name }) => name === 'allowed_signers')?.id ?? '';
  const admin = keyFrom(await readFile(world.adminKey, 'utf8'));
  const making: Making = { put, items, admin, signers, second: undefined };
  const head = addCommits(making, before, count);
  await must('git', ['index-pack', '--stdin'], { cwd: world.remote, env, input: writePack(objects) });
  await must('git', ['update-ref', 'refs/heads/main', head], { env });
  // As a server has them: trees as differences from one another.
  await must('git', ['repack', '-a', '-d', '-q'], { cwd: world.remote, env });
}

function addCommits(making: Making, before: ObjectId, count: number): ObjectId {
  let tip = before;
  let fork: { readonly base: ObjectId; readonly side: ObjectId } | undefined;
  for (let number = 1; number <= count; number += 1) {
    if (number % change === 0) changeSigners(making, number);
    switch (number % merge) {
      case merge - 3:
        fork = { base: tip, side: addCommit(making, [tip], number) };
        break;
      case merge - 1:
        tip = addCommit(making, fork === undefined ? [tip] : [tip, fork.side], number);
        break;
      default:
        tip = addCommit(making, [tip], number);
    }
  }
  return tip;
}

function addCommit(
  { put, items, admin, second, signers }: Making,
  parents: readonly ObjectId[],
  number: number,
): ObjectId {
  const notes: TreeItem = { mode: '100644', name: 'notes', id: put('blob', Buffer.from(`Note ${number}\n`)) };
  const changed = items.map((item) => (item.name === 'allowed_signers' ? { ...item, id: signers } : item));
  const tree = put('tree', serialiseTree([...changed, notes]));
  const who = { name: 'Alice', email: 'alice@example.org', seconds: 1_800_000_000 + number, zone: '+0000' };
  const message = `Change number ${number}\n\nIt says what was changed, and why, in a line or two, as people do.\n`;
  const payload = serialiseCommit({ tree, parents, author: who, committer: who, message });
  // Who comes with this commit may not sign it yet, and it is the admin who takes the second out.
  const key = number % change !== 0 && number % 2 === 1 ? (second ?? admin) : admin;
  return put('commit', withSignature(payload, signWith(key, 'git', payload)));
}

function changeSigners(making: Making, number: number): void {
  const { put, admin } = making;
  making.second = making.second === undefined ? makeKey() : undefined;
  const lines = [admin, making.second]
    .filter((key) => key !== undefined)
    .map((key, index) => formatAllowedSigner(`admin${index}@example.org`, key.line));
  making.signers = put('blob', Buffer.from([`# Change ${number}`, ...lines, ''].join('\n')));
}

async function rootOf(commit: ObjectId, env: Readonly<Record<string, string>>): Promise<readonly TreeItem[]> {
  const listing = await must('git', ['ls-tree', '-z', commit], { env });
  return listing
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [, mode, id, name] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(line) ?? [];
      return { mode: (mode ?? '').replace(/^0/, ''), id, name } as TreeItem;
    });
}

function makeKey(): PrivateKey {
  return keyFrom(formatPrivateKey(randomBytes(32), 'second', 1));
}

function keyFrom(text: string): PrivateKey {
  const parsed = parsePrivateKey(text);
  if (!parsed.ok) throw new Error('a key of the world cannot be read');
  return parsed.value;
}
