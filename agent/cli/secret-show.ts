import { fail, ok, type Failure } from '../../shared/failure.ts';
import { sealedAtHead } from '../fleet/sealed.ts';
import { isBinary } from './binary.ts';
import { openReading } from './editing.ts';
import { openerOf } from './sealing.ts';
import { fileFor } from './secret-declare.ts';
import { noValue } from './secret-set.ts';
import type { Act } from './verb.ts';

/** `autark secret show`: the value as it is, to standard output. */
export const showSecret: Act = async (args, context) => {
  const opened = await openReading(context);
  if (!opened.ok) return opened;
  const { editor, fleet } = opened.value;
  const name = args.positional('NAME') ?? '';
  const file = fileFor(args, fleet, name);
  if (!file.ok) return file;
  const tree = await sealedAtHead(editor.clone, { isAnyLock: true });
  if (!tree.ok) return tree;
  const sealed = tree.value.files.get(file.value.path);
  if (sealed === undefined) return fail(noValue(file.value));
  const desk = await context.roles.secretDesk();
  const opener = await openerOf(desk, editor, { args, context });
  if (!opener.ok) return opener;
  const value = await opener.value.open(sealed, file.value.path);
  if (!value.ok) return value;
  if (context.terminal.isTerminal && isBinary(value.value)) return fail(binary(name));
  await desk.output(value.value);
  return ok(0);
};

function binary(name: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the value of ${name} is binary, and a terminal would obey what is in it`,
    remedy: `pass it on: autark secret show ${name} | xxd, or > FILE in a folder in memory`,
  };
}
