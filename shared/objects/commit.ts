import { fail, ok, type Result } from '../failure.ts';
import { formatIdentity, parseIdentity, type Identity } from './identity.ts';
import { isObjectId, type ObjectId } from './object.ts';
import { strictUtf8 } from './utf8.ts';

export { type Identity } from './identity.ts';

export interface Commit {
  readonly tree: ObjectId;
  readonly parents: readonly ObjectId[];
  readonly author: Identity;
  readonly committer: Identity;
  /** What the commit claims to be written in; its bytes are UTF-8 all the same, else it is refused. */
  readonly encoding?: string;
  /** The armoured signature, unfolded, every line with its line end: the file that the signer wrote. */
  readonly gpgsig?: string;
  readonly message: string;
}

/** What is written into a commit before it is signed. */
export type CommitFields = Pick<Commit, 'tree' | 'parents' | 'author' | 'committer' | 'message'>;

interface Header {
  readonly name: string;
  /** Continuation lines are joined by line ends, without the space that marked them. */
  readonly value: string;
}

/**
 * A commit from its content (the format of `git cat-file commit`; signatures: gitformat-signature(5)). As
 * strict as `git fsck`, and where two readers could differ about what was signed it is refused (S3):
 * - `tree`, `parent`…, `author`, `committer` once each and first, in this order; never again further down;
 * - at most one `gpgsig`; `gpgsig-sha256` and anything else that looks like a signature header: refused;
 * - `mergetag` is ignored; so are headers that are unknown but well formed (`HG:extra`, `change-id`): git
 *   ignores them too, the signature covers them, and refusing them would bar whoever uses such a tool;
 * - UTF-8 without NUL, because git shows a message only up to a NUL.
 */
export function parseCommit(bytes: Uint8Array): Result<Commit, string> {
  const text = strictUtf8(bytes);
  if (text === undefined) return fail('the commit is not written in UTF-8');
  if (text.includes('\0')) return fail('the commit contains a NUL byte');
  const end = text.indexOf('\n\n');
  if (end === -1) return fail('the commit has no blank line between header and message');
  const headers = unfold(text.slice(0, end));
  return headers.ok ? readHeaders(headers.value, text.slice(end + 2)) : headers;
}

/** A header reaches to the next line that does not begin with a space. */
function unfold(text: string): Result<readonly Header[], string> {
  const headers: Header[] = [];
  for (let at = 0; at <= text.length;) {
    const end = endOfHeader(text, at);
    const space = text.indexOf(' ', at);
    const name = space === -1 ? '' : text.slice(at, space);
    if (!/^[A-Za-z][A-Za-z0-9:_-]*$/.test(name)) return fail('the commit has a malformed header line');
    headers.push({ name, value: text.slice(space + 1, end).replaceAll('\n ', '\n') });
    at = end + 1;
  }
  return ok(headers);
}

function endOfHeader(text: string, from: number): number {
  let end = text.indexOf('\n', from);
  while (end !== -1 && text.startsWith(' ', end + 1)) end = text.indexOf('\n', end + 1);
  return end === -1 ? text.length : end;
}

function readHeaders(headers: readonly Header[], message: string): Result<Commit, string> {
  const parents = headers.slice(1).findIndex(({ name }) => name !== 'parent');
  if (parents === -1) return fail('the commit has no author');
  const [tree, author, committer] = [headers[0], headers[1 + parents], headers[2 + parents]];
  if (tree?.name !== 'tree') return fail('the commit does not begin with its tree');
  if (author?.name !== 'author') return fail('the commit has no author after its tree and parents');
  if (committer?.name !== 'committer') return fail('the commit has no committer after its author');
  const ids = headers.slice(0, 1 + parents).map(({ value }) => value);
  if (!ids.every(isObjectId)) return fail('the commit names a tree or parent that is not an object id');
  const wrote = parseIdentity(author.value);
  if (!wrote.ok) return fail(`the commit's author ${wrote.failure}`);
  const committed = parseIdentity(committer.value);
  if (!committed.ok) return fail(`the commit's committer ${committed.failure}`);
  const rest = readRest(headers.slice(3 + parents));
  if (!rest.ok) return rest;
  const people = { author: wrote.value, committer: committed.value };
  return ok({ tree: tree.value, parents: ids.slice(1), ...people, ...rest.value, message });
}

function readRest(headers: readonly Header[]): Result<Pick<Commit, 'encoding' | 'gpgsig'>, string> {
  const rest: { encoding?: string; gpgsig?: string } = {};
  for (const { name, value } of headers) {
    if (name === 'gpgsig') {
      if (rest.gpgsig !== undefined) return fail('the commit has two signatures');
      rest.gpgsig = `${value}\n`;
    } else if (name === 'encoding') {
      if (rest.encoding !== undefined) return fail('the commit has two encodings');
      rest.encoding = value;
    } else if (/^(tree|parent|author|committer)$/i.test(name)) {
      return fail(`the commit repeats its ${name} header`);
    } else if (/^gpgsig/i.test(name)) {
      return fail(
        `the commit has a ${name.slice(0, 40)} header, which this repository's object format has no use for`,
      );
    }
  }
  return ok(rest);
}

/** What the signature covers: the commit's content without the `gpgsig` header (gitformat-signature(5)). */
export function signedPayload(bytes: Uint8Array): Uint8Array {
  const text = latin1(bytes);
  const end = endOfHeaders(text);
  let payload = '';
  let from = 0;
  // No commit begins with its signature.
  for (let at = text.indexOf(signature); at !== -1 && at < end; at = text.indexOf(signature, from)) {
    payload += text.slice(from, at);
    from = endOfHeader(text, at + 1);
  }
  return Buffer.from(payload + text.slice(from), 'latin1');
}

const signature = '\ngpgsig ';

/**
 * The content of a commit without signature. What cannot be part of a name or e-mail is left out of it.
 * @throws RangeError for ids, dates, zones and messages that no commit can hold
 */
export function serialiseCommit({ tree, parents, author, committer, message }: CommitFields): Uint8Array {
  if (![tree, ...parents].every(isObjectId)) throw new RangeError('a commit needs full object ids');
  if (message.includes('\0')) throw new RangeError('a commit message cannot contain NUL');
  const headers = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${formatIdentity(author)}`,
    `committer ${formatIdentity(committer)}`,
  ];
  return Buffer.from(`${headers.join('\n')}\n\n${message}`, 'utf8');
}

/**
 * The signed commit: the signature folded into a `gpgsig` header after all others, where git puts it.
 * @param armour the signature as its program wrote it, with or without its last line end
 */
export function withSignature(payload: Uint8Array, armour: string): Uint8Array {
  const text = latin1(payload);
  const end = endOfHeaders(text);
  const folded = armour.replace(/\n$/, '').replaceAll('\n', '\n ');
  return Buffer.concat([
    Buffer.from(text.slice(0, end), 'latin1'),
    Buffer.from(`${signature}${folded}`, 'utf8'),
    Buffer.from(text.slice(end), 'latin1'),
  ]);
}

/** Byte for byte: in latin1 every byte is one character. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Where the last header's line end is; the end of a text without a blank line. */
function endOfHeaders(text: string): number {
  const end = text.indexOf('\n\n');
  return end === -1 ? text.length : end;
}
