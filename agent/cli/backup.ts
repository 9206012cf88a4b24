import { fail, ok, type Failure } from '../../shared/failure.ts';
import { nearest } from '../../shared/fleet/name.ts';
import { bytesText } from '../../shared/fleet-view/bytes.ts';
import { table, type Cell } from '../../shared/fleet-view/table.ts';
import { printableJson } from '../../shared/printable.ts';
import { backupPath, backupsFolder, isBackupName } from '../../shared/record/sealed-part.ts';
import { backupsIn, type SealedBackup } from '../fleet/sealed-state.ts';
import { isBinary } from './binary.ts';
import { openSealed, openState, type StateOpening } from './state-opening.ts';
import { usage, type Act, type Arguments } from './verb.ts';

/** `autark backup …`: the metadata of a host's disks. */
export const backup: Act = async (args, context) => {
  const isShow = args.positional('ACTION') === 'show';
  const wrong = problemIn(isShow, args);
  if (wrong !== undefined) return fail(wrong);
  return (isShow ? showBackup : listBackups)(args, context);
};

function problemIn(isShow: boolean, args: Arguments): Failure | undefined {
  const name = args.positional('NAME');
  if (!isShow && name !== undefined)
    return usage('backup', 'backup list takes no NAME', 'show one with backup show');
  if (!isShow && args.text('identity') !== undefined)
    return usage('backup', 'backup list opens nothing, so it takes no --identity');
  if (!isShow) return undefined;
  if (args.flag('json')) return usage('backup', '--json is for backup list');
  if (name === undefined) return usage('backup', 'backup show needs NAME');
  return isBackupName(name)
    ? undefined
    : usage('backup', `“${name}” cannot be the name of a backup`, 'take one that backup list shows');
}

/** By names alone, nothing is opened. */
const listBackups: Act = async (args, context) => {
  const state = await openState({ args, context });
  if (!state.ok) return state;
  const { host, record, editor } = state.value;
  const found = await backupsIn(editor.clone, record);
  if (!found.ok) return found;
  const { backups, others } = found.value;
  const { terminal } = context;
  if (args.flag('json')) {
    const { seq, id, at } = record;
    terminal.out(printableJson({ format: 1, host, record: { seq, id, at }, backups: backups.map(listed) }));
  } else if (backups.length === 0) terminal.note(`${host} has no backups: record ${record.seq} holds none.`);
  else {
    const { width, colour } = terminal;
    terminal.out(table(backups.map(row), { width, colour }));
  }
  if (others > 0)
    terminal.note(`autark: ${others} more in ${backupsFolder}/ of state/${host}, which are no backups`);
  return ok(0);
};

function listed({ name, size, since }: SealedBackup) {
  const known = since === null ? null : { seq: since.seq, id: since.id, at: since.at };
  return { name, size, since: known };
}

function row({ name, size, since }: SealedBackup): readonly Cell[] {
  const when = since === null ? 'older' : `record ${since.seq}, ${since.at.replace(/\.\d+Z$/, 'Z')}`;
  return [{ text: name }, { text: bytesText(size) }, { text: when }];
}

/** As it was taken, to standard output. */
const showBackup: Act = async (args, context) => {
  const call = { args, context };
  const name = args.positional('NAME') ?? '';
  const state = await openState(call);
  if (!state.ok) return state;
  const opened = await openSealed(state.value, backupPath(name), call);
  if (!opened.ok) return opened;
  if (opened.value === null) return fail(await noBackup(state.value, name));
  if (context.terminal.isTerminal && isBinary(opened.value)) return fail(binary(state.value.host, name));
  await (await context.roles.secretDesk()).output(opened.value);
  return ok(0);
};

async function noBackup({ host, record, editor }: StateOpening, name: string): Promise<Failure> {
  const found = await backupsIn(editor.clone, record);
  const near = found.ok
    ? nearest(
        name,
        found.value.backups.map((each) => each.name),
      )
    : undefined;
  const hint = near === undefined ? '' : `try ${near}, or `;
  return {
    kind: 'unexpected',
    cause: `${host} has no backup called ${name}: record ${record.seq} holds none`,
    where: `state/${host}, ${backupPath(name)}`,
    remedy: `${hint}run \`autark backup list ${host}\`, which names them all`,
  };
}

function binary(host: string, name: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the backup ${name} is binary, and a terminal would obey what is in it`,
    remedy: `pass it on: autark backup show ${host} ${name} > FILE`,
  };
}
