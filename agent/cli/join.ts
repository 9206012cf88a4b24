import { ok, type Result } from '../../shared/failure.ts';
import { parseAllowedSigners } from '../../shared/trust/allowed-signers.ts';
import type { AdminKey, CloneEditor } from '../clone-ports.ts';
import { installPrePush } from './pre-push.ts';
import type { Act } from './verb.ts';

/**
 * `autark join`: from now on `git commit` in this clone signs, `git log --show-signature` checks, and `git push` asks
 * first what hosts would say.
 */
export const join: Act = async (args, { terminal, roles, signal, program }) => {
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const key = await editor.adminKey(args.text('key'));
  if (!key.ok) return key;
  const set = await setSigning(editor, key.value);
  if (!set.ok) return set;
  terminal.note(`This clone signs commits with ${key.value.setting}.`);
  const hooked = await installPrePush(editor, { terminal, program });
  if (!hooked.ok) return hooked;
  const standing = await standingOf(editor, key.value);
  if (!standing.ok) return standing;
  if (!standing.value) {
    terminal.note('Your key is not in allowed_signers: hosts refuse what you sign until an admin adds it.');
  }
  return ok(0);
};

/** The settings of `join`, in the clone's own configuration alone. */
export function setSigning(editor: CloneEditor, key: AdminKey): Promise<Result<void>> {
  return editor.configure({
    'gpg.format': 'ssh',
    'user.signingkey': key.setting,
    'commit.gpgsign': 'true',
    'gpg.ssh.allowedSignersFile': `${editor.clone.root}/allowed_signers`,
  });
}

async function standingOf({ clone }: CloneEditor, { key }: AdminKey): Promise<Result<boolean>> {
  if (clone.head === null) return ok(false);
  const name = `${clone.head}:allowed_signers`;
  const objects = await clone.read([name]);
  if (!objects.ok) return objects;
  const text = Buffer.from(objects.value.get(name)?.bytes ?? []).toString('utf8');
  return ok(parseAllowedSigners(text).admins.some((admin) => admin.key === key));
}
