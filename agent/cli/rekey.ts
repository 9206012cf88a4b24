import { ok } from '../../shared/failure.ts';
import { finishEditing, openEditing } from './editing.ts';
import { resealAll } from './sealing.ts';
import type { Act } from './verb.ts';

/** `autark rekey`: seals anew what `fleet.yaml` asks otherwise; whatever is as it should be keeps its bytes. */
export const rekey: Act = async (args, context) => {
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const sealed = await resealAll(opened.value, { args, context });
  if (!sealed.ok) return sealed;
  const { files, seen } = sealed.value;
  if (files.length === 0) {
    context.terminal.note('All secrets are sealed to whom fleet.yaml names: nothing to do.');
    return ok(0);
  }
  const paths = files.map(({ path, text }) => `${path}${text === null ? ' (removed)' : ''}`).slice(0, -1);
  const message = `Seal to whom fleet.yaml names\n\n${paths.join('\n')}\n`;
  const count = `${paths.length} ${paths.length === 1 ? 'file' : 'files'}`;
  const said = `What differed is sealed anew (${count})`;
  const done = await finishEditing(opened.value, { files, message }, { ...context, args, said });
  if (done.ok) for (const line of seen) context.terminal.note(line);
  return done;
};
