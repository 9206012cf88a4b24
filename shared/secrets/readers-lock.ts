import { createHash } from 'node:crypto';
import { fail, ok, type Failure, type Result } from '../failure.ts';
import { isName } from '../fleet/name.ts';
import { lockPath } from './sealed.ts';

/** What is said of one sealed file. */
export interface LockEntry {
  /** Of the file's bytes, in hex. */
  readonly sha256: string;
  /** When the value was set, in milliseconds since the epoch, whole seconds: sealing it anew changes nothing here. */
  readonly changed: number;
  /** As `SealedFile` has them: without comments, sorted, each once. */
  readonly recipients: readonly string[];
}

/** By path. */
export type ReadersLock = ReadonlyMap<string, LockEntry>;

const header =
  '# Which keys each sealed file is sealed to. Written by autark: after a change by hand, run `autark rekey`.';

/** One text for one content, so that two people who seal the same conflict nowhere else. */
export function formatLock(lock: ReadersLock): string {
  const blocks = [...lock].toSorted(([left], [right]) => (left < right ? -1 : 1)).flatMap(blockOf);
  return [header, ...blocks, ''].join('\n');
}

function blockOf([path, { sha256, changed, recipients }]: readonly [string, LockEntry]): readonly string[] {
  const lines = [`sha256 ${sha256}`, `changed ${timeOf(changed)}`, ...recipients];
  return [path, ...lines.map((line) => `  ${line}`)];
}

function timeOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** Takes what `formatLock` writes and nothing else: whatever was merged or edited is to be written anew. */
export function parseLock(text: string): Result<ReadersLock> {
  const lines = text.split('\n');
  if (lines[0] !== header) return fail(malformed(1, 'it does not begin with the line that autark writes'));
  if (lines.pop() !== '') return fail(malformed(lines.length + 1, 'its last line is cut short'));
  const lock = new Map<string, LockEntry>();
  let before = '';
  for (let at = 1; at < lines.length;) {
    const path = lines[at] ?? '';
    if (!isSealedPath(path)) return fail(malformed(at + 1, 'here should be the path of a sealed file'));
    if (path <= before) return fail(malformed(at + 1, `${path} is not in its place: paths are sorted`));
    let end = at + 1;
    while (lines[end]?.startsWith('  ') === true) end += 1;
    const entry = parseEntry(lines.slice(at + 1, end), at + 2);
    if (!entry.ok) return entry;
    lock.set(path, entry.value);
    [before, at] = [path, end];
  }
  return ok(lock);
}

/** Whether a path is where a sealed value may lie. */
export function isSealedPath(path: string): boolean {
  const [, host, name = ''] = /^secrets\/(?:([^/]+)\/)?([^/]+)\.age$/.exec(path) ?? [];
  return isName(name) && (host === undefined || isName(host));
}

function parseEntry(lines: readonly string[], first: number): Result<LockEntry> {
  const sha256 = /^ {2}sha256 ([0-9a-f]{64})$/.exec(lines[0] ?? '')?.[1];
  if (sha256 === undefined) return fail(malformed(first, 'here should be `sha256` with 64 digits'));
  const time = /^ {2}changed (\S+)$/.exec(lines[1] ?? '')?.[1] ?? '';
  const changed = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(time) ? Date.parse(time) : NaN;
  if (Number.isNaN(changed) || timeOf(changed) !== time)
    return fail(malformed(first + 1, 'here should be `changed` with a time in UTC'));
  const recipients = lines.slice(2).map((line) => line.slice(2));
  if (recipients.length === 0) return fail(malformed(first + 2, 'here should be a key'));
  const bad = recipients.findIndex((each, index) => !isKey(each) || each <= (recipients[index - 1] ?? ''));
  if (bad !== -1) return fail(malformed(first + 2 + bad, 'here should be a key, sorted among the others'));
  return ok({ sha256, changed, recipients });
}

function isKey(line: string): boolean {
  return /^(ssh-ed25519 [A-Za-z0-9+/]+={0,2}|age1[a-z0-9]+)$/.test(line);
}

export function digestOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function malformed(line: number, why: string): Failure {
  return {
    kind: 'invalid',
    cause: `what says which keys open the secrets cannot be read: ${why}`,
    where: `${lockPath}:${line}`,
    remedy: 'bring it back from an earlier revision, or run `autark rekey`, which seals everything anew',
  };
}
