import { fail, type Failure } from '../../shared/failure.ts';
import { isName } from '../../shared/fleet/name.ts';
import { editSecret, importSecret, setSecret } from './secret-set.ts';
import { listSecrets } from './secret-list.ts';
import { removeOne } from './secret-remove.ts';
import { showSecret } from './secret-show.ts';
import { usage, type Act, type Arguments } from './verb.ts';

const acts: Readonly<Record<string, Act>> = {
  set: setSecret,
  edit: editSecret,
  show: showSecret,
  list: listSecrets,
  remove: removeOne,
  import: importSecret,
};

/** `autark secret …`: values that lie sealed in Git. */
export const secret: Act = async (args, context) => {
  const action = args.positional('ACTION') ?? '';
  const wrong = problemIn(action, args);
  if (wrong !== undefined) return fail(wrong);
  const act = acts[action];
  return act === undefined ? fail(usage('secret', `there is no action ${action}`)) : act(args, context);
};

const declaring = ['owner', 'mode', 'path'];
const lists = ['group', 'restart', 'reload'];
const flags = ['each', 'early'];

function problemIn(action: string, args: Arguments): Failure | undefined {
  const [name, file] = [args.positional('NAME'), args.positional('FILE')];
  if (name === undefined && action !== 'list') return usage('secret', `secret ${action} needs NAME`);
  if (name !== undefined && !isName(name))
    return usage(
      'secret',
      `“${name}” cannot be the name of a secret`,
      'use at most 63 lower-case letters, digits and -',
    );
  if (action === 'import' && file === undefined) return usage('secret', 'secret import needs FILE');
  if (action !== 'import' && file !== undefined)
    return usage('secret', `secret ${action} takes no FILE`, 'pass a value through standard input');
  if (action !== 'list' && args.flag('json')) return usage('secret', '--json is for secret list');
  const isDeclaring =
    declaring.some((each) => args.text(each) !== undefined) ||
    lists.some((each) => args.texts(each).length > 0) ||
    flags.some((each) => args.flag(each));
  return isDeclaring && action !== 'set' && action !== 'import'
    ? usage('secret', `secret ${action} declares nothing`, 'change that with secret set, or in fleet.yaml')
    : undefined;
}
