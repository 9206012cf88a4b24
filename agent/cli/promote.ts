import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { oneLine, printable } from '../../shared/printable.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Clone, CloneEditor, Terminal } from '../clone-ports.ts';
import { withObjects } from '../fleet/authority.ts';
import { checkContent } from '../fleet/check-content.ts';
import { findPromotion, type Promotion } from '../fleet/promotion.ts';
import { resolveRevision } from './check.ts';
import { onlyOneKey } from './editing.ts';
import { paragraph } from './paragraph.ts';
import { trusted } from './trusted.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

/**
 * `autark promote`: one signed commit with another one's tree. What was merged by a button, a bot or a web form is
 * followed by hosts once an admin has seen the difference and put their name to it.
 */
export const promote: Act = async (args, context) => {
  const { roles, terminal, signal } = context;
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const { clone } = editor;
  const named = await source(clone, args);
  if (!named.ok) return named;
  const key = await editor.adminKey(undefined);
  if (!key.ok) return key;
  const found = await findPromotion(clone, named.value, key.value.key);
  if (!found.ok) return found;
  const promotion = found.value;
  if (promotion.introduction.isFound) terminal.note(`autark: ${trusted(promotion.introduction.id)}`);
  if (promotion.tree === promotion.baseTree) return nothingToDo(terminal, promotion);
  const seen = await show(editor, promotion, terminal);
  if (!seen.ok) return seen;
  const agreed = await agree(args, context);
  if (!agreed.ok) return agreed;
  const { tree, base: parent, from } = promotion;
  const made = await editor.commitTree({ tree, parent, message: messageOf(promotion) }, key.value);
  if (!made.ok) return made;
  const done = await push(editor, promotion, args.flag('push'));
  if (!done.ok) return done;
  terminal.out(`${made.value}\n`);
  terminal.note(`${from.slice(0, 7)} is signed as ${made.value.slice(0, 7)}${done.value}.`);
  // The two have no history in common but an old one: without this, later changes would meet in conflicts.
  if (promotion.instead === null)
    terminal.note(`Next, where people merge: git merge ${made.value.slice(0, 7)}`);
  if (promotion.admins === 1) terminal.note(onlyOneKey);
  return ok(0);
};

/** What is to be signed: named, or what the server's own branch holds now. */
async function source(clone: Clone, args: Arguments): Promise<Result<ObjectId>> {
  const fetched = await clone.fetch();
  if (!fetched.ok) return fetched;
  const name = args.positional('COMMIT');
  if (name !== undefined) return resolveRevision(clone, name);
  const refs = await clone.remoteRefs();
  if (!refs.ok) return refs;
  const theirs = refs.value.find((ref) => ref.name === clone.remote?.branch)?.id;
  return theirs === undefined
    ? fail(usage('promote', 'the server has no such branch; name a commit'))
    : ok(theirs);
}

function messageOf({ from, subject }: Promotion): string {
  return `Promote ${from.slice(0, 7)} "${subject}"\n\nAutark-From: ${from}\n`;
}

function nothingToDo(terminal: Terminal, { from, base }: Promotion): Result<number> {
  terminal.note(
    `${from.slice(0, 7)} has the same files as ${base.slice(0, 7)}, which hosts follow: nothing to sign.`,
  );
  return ok(0);
}

/** All files by name; who may sign and what the hosts are, line by line. */
async function show(editor: CloneEditor, promotion: Promotion, terminal: Terminal): Promise<Result<void>> {
  const { base, from } = promotion;
  const checked = await withObjects(editor.clone, (objects) => checkContent(objects, from, base));
  if (!checked.ok) return checked;
  const [bad] = checked.value.findings;
  if (bad !== undefined) return fail(notValid(from, checked.value.findings.map(paragraph).join('\n')));
  const all = await editor.difference(base, from);
  if (!all.ok) return all;
  const core = await editor.difference(base, from, ['allowed_signers', 'fleet.yaml']);
  if (!core.ok) return core;
  for (const text of [all.value, core.value])
    for (const line of text.split('\n')) if (line !== '') terminal.note(printable(line));
  for (const warning of checked.value.warnings) terminal.note(`autark: ${oneLine(warning)}`);
  await sayLeftOut(editor.clone, promotion, terminal);
  terminal.note(`All of it: git diff ${base.slice(0, 7)} ${from.slice(0, 7)}`);
  return ok(undefined);
}

/** What others merged on the server's branch, and this would take away again. */
async function sayLeftOut(clone: Clone, { instead, from }: Promotion, terminal: Terminal): Promise<void> {
  const left = instead === null ? 0 : await clone.distance(from, instead);
  if (instead === null || left === 0) return;
  const what = `git log ${from.slice(0, 7)}..${instead.slice(0, 7)}`;
  terminal.note(`This leaves out ${left ?? 'the'} unsigned commits of the server’s branch: ${what}`);
}

async function agree(args: Arguments, { terminal }: Context): Promise<Result<void>> {
  if (args.flag('yes')) return ok(undefined);
  if (!terminal.canAsk) return fail(usage('promote', 'without a terminal promote needs --yes'));
  return (await terminal.confirm('Shall every host follow this, in your name?'))
    ? ok(undefined)
    : fail(declined);
}

/** What nobody signed is left behind on the server, and nothing else: so that only exactly that is given up. */
async function push(editor: CloneEditor, { instead }: Promotion, isWanted: boolean): Promise<Result<string>> {
  const { remote, branch } = editor.clone;
  const name = remote?.branch ?? branch;
  if (!isWanted) {
    const lease = instead === null ? '' : ` --force-with-lease=${name}:${instead}`;
    return ok(`; push it: git push${lease}`);
  }
  const pushed = await editor.push(name, instead ?? undefined);
  return pushed.ok ? ok(' and pushed') : pushed;
}

function notValid(where: ObjectId, detail: string): Failure {
  return {
    kind: 'invalid',
    cause: 'hosts would refuse what this revision holds',
    where,
    remedy: 'mend it where it was merged, and promote that; nothing was signed',
    detail,
  };
}

const declined: Failure = {
  kind: 'unexpected',
  cause: 'nothing was signed, and nothing was changed',
  remedy: 'look at all of it with `git diff`, or leave it to another admin',
};
