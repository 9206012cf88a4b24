import { ok } from '../../shared/failure.ts';
import { lockPath } from '../../shared/secrets/sealed.ts';
import { finishEditing, openEditing } from './editing.ts';
import { resealAll } from './sealing.ts';
import type { Act } from './verb.ts';

/** `autark rekey`: seals anew what `fleet.yaml` asks otherwise; whatever is as it should be keeps its bytes. */
export const rekey: Act = async (args, context) => {
  const opened = await openEditing(context);
  if (!opened.ok) return opened;
  const sealed = await resealAll(opened.value, { args, context });
  if (!sealed.ok) return sealed;
  const { files, told } = sealed.value;
  const tell = () => {
    for (const line of told) context.terminal.note(line);
  };
  if (files.length === 0) {
    context.terminal.note('All secrets are sealed to whom fleet.yaml names: nothing to do.');
    tell();
    return ok(0);
  }
  const values = files.filter(({ path }) => path !== lockPath);
  const removed = values.filter(({ text }) => text === null).length;
  const paths = values.map(({ path, text }) => `${path}${text === null ? ' (removed)' : ''}`);
  const message = `Seal to whom fleet.yaml names\n\n${paths.join('\n')}\n`;
  const said = outcome(values.length - removed, removed);
  const done = await finishEditing(opened.value, { files, message }, { ...context, args, said });
  if (done.ok) tell();
  return done;
};

function outcome(sealed: number, removed: number): string {
  if (sealed > 0) return `What differed is sealed anew (${filesOf(sealed)})`;
  if (removed > 0) return `What no secret has any more is removed (${filesOf(removed)})`;
  return `${lockPath} names what is there`;
}

function filesOf(count: number): string {
  return `${count} ${count === 1 ? 'file' : 'files'}`;
}
