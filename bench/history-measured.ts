import { verify, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { openGit } from '../agent/adapters/git/git.ts';
import { keepHeapSmall } from '../agent/adapters/heap.ts';
import type { Git } from '../agent/git-ports.ts';
import { isAuthentic } from '../agent/stages/verify.ts';
import { parseCommit, signedPayload } from '../shared/objects/commit.ts';
import { publicKeyObject } from '../shared/trust/public-key.ts';
import { parseSshSig, signatureInput } from '../shared/trust/sshsig.ts';
import { must } from '../test/rig/run.ts';
import { environment } from '../test/rig/world.ts';

/**
 * One measurement of the section `history`, as a process of its own that is held to one core: prints microseconds for
 * one commit. What was fetched is in `DIR/own.git`.
 *
 *     node history-measured.js floor|verdict DIR INTRODUCTION HEAD
 */
const [what = '', dir = '', introduction = '', head = ''] = process.argv.slice(2);

// As the agent runs.
keepHeapSmall();
const env = environment(dir);
const git = openGit({
  directory: join(dir, 'own.git'),
  remote: join(dir, 'fleet.git'),
  branch: 'main',
  host: 'web1',
  access: { knownHosts: [join(dir, 'known_hosts')] },
  env,
});
const ids = await idsAbove();
process.stdout.write(`${await (what === 'floor' ? floor(git) : verdict(git))}\n`);
await git.close();

/** The least that can tell good signatures from bad ones: all is read, parsed and hashed before the clock starts. */
async function floor(git: Git): Promise<number> {
  const keys = new Map<string, KeyObject>();
  const signed = [];
  for (const id of ids) {
    const read = await git.read(id);
    const commit = read.ok ? parseCommit(read.value.bytes) : read;
    const sig = commit.ok ? parseSshSig(commit.value.gpgsig ?? '') : commit;
    if (!read.ok || !sig.ok) throw new Error(`${id} carries no signature`);
    const { point, line } = sig.value.publicKey;
    const key = keys.get(line) ?? publicKeyObject(point);
    keys.set(line, key);
    signed.push({ input: signatureInput('git', signedPayload(read.value.bytes)), key, raw: sig.value.raw });
  }
  const begin = performance.now();
  const good = signed.filter(({ input, key, raw }) => verify(null, input, key, raw));
  const took = performance.now() - begin;
  if (good.length !== ids.length) throw new Error('a signature is not good');
  return (took * 1000) / ids.length;
}

/** What a host does with a history that it has never seen, from the first object that it reads. */
async function verdict(git: Git): Promise<number> {
  const begin = performance.now();
  const found = await isAuthentic(git, head, { introduction, floors: [], known: [] });
  const took = performance.now() - begin;
  if (!found.ok) throw new Error(found.failure.cause);
  return (took * 1000) / ids.length;
}

async function idsAbove(): Promise<readonly string[]> {
  const range = ['rev-list', head, `^${introduction}`];
  return (await must('git', ['-C', join(dir, 'own.git'), ...range], { env })).split('\n');
}
