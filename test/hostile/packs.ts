import { execFileSync } from 'node:child_process';
import { gunzipSync } from 'node:zlib';
import { must } from '../rig/run.ts';
import type { Answer, Asked } from './cgi.ts';

/** How an answer to a fetch by protocol version 2 (gitprotocol-v2(5)) is made by hand. */
export interface Lie {
  /** Objects that the pack leaves out. */
  readonly lacks?: readonly string[];
  /** The wanted commit, with which, says the answer, history begins: what came before it is left out. */
  readonly shallow?: string;
  /** What stands in the pack's place. */
  readonly instead?: Uint8Array;
}

/** Whether this asks for a pack, and not for the list of refs. */
export function asksForPack(asked: Asked): boolean {
  return asked.path === '/git-upload-pack' && commandOf(asked) === 'fetch';
}

/** Ids that a request says it wants. */
export function wantsOf(asked: Asked): readonly string[] {
  return [...textOf(asked).matchAll(/want ([0-9a-f]{40})/g)].map(([, id = '']) => id);
}

function commandOf(asked: Asked): string | undefined {
  return /command=([a-z-]+)/.exec(textOf(asked))?.[1];
}

/** Git compresses what is long. */
function textOf({ body, headers }: Asked): string {
  const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  return bytes.toString('latin1');
}

/** The whole history behind what is wanted, as one pack with the lie in it. */
export async function answerWith(repository: string, asked: Asked, lie: Lie): Promise<Answer> {
  const pack = lie.instead ?? (await packOf(repository, wantsOf(asked), lie));
  // Without `done` the client waits to hear that what it has is enough (gitprotocol-v2(5), "fetch").
  const isDone = textOf(asked).includes('done');
  const begin = isDone ? [] : [line('acknowledgments\n'), line('ready\n'), delimiter];
  const shallow =
    lie.shallow === undefined ? [] : [line('shallow-info\n'), line(`shallow ${lie.shallow}\n`), delimiter];
  return asPack(Buffer.concat([...begin, ...shallow, line('packfile\n'), ...inBand(1, pack), flush]));
}

/** An answer's beginning after which messages for the person at the other end may come without end. */
export function endlessBeginning(asked: Asked): Buffer {
  const isDone = textOf(asked).includes('done');
  const begin = isDone ? [] : [line('acknowledgments\n'), line('ready\n'), delimiter];
  return Buffer.concat([...begin, line('packfile\n')]);
}

/** Sideband 2 is for messages, 1 for the pack. */
export function inBand(band: 1 | 2, bytes: Uint8Array): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 60_000) {
    parts.push(line(Buffer.concat([Uint8Array.of(band), bytes.subarray(at, at + 60_000)])));
  }
  return parts;
}

export function asPack(body: Buffer): Answer {
  return { status: 200, headers: { 'Content-Type': 'application/x-git-upload-pack-result' }, body };
}

async function packOf(repository: string, wants: readonly string[], lie: Lie): Promise<Uint8Array> {
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', GIT_DIR: repository, GIT_CONFIG_NOSYSTEM: '1' };
  const limit = lie.shallow === undefined ? [] : ['--no-walk'];
  const listed = await must('git', ['rev-list', '--objects', '--no-object-names', ...wants, ...limit], {
    env,
  });
  const kept = listed.split('\n').filter((id) => lie.lacks?.includes(id) !== true);
  // Its bytes, which `must` would take for text.
  return execFileSync('git', ['pack-objects', '--stdout', '-q', '--window=0'], {
    env,
    input: `${kept.join('\n')}\n`,
    maxBuffer: 64 * 2 ** 20,
  });
}

const flush = Buffer.from('0000');
const delimiter = Buffer.from('0001');

/** A pkt-line: its length in four hex digits, themselves included (gitprotocol-common(5)). */
function line(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}
