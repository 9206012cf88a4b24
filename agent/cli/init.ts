import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { newFleetYaml } from '../../shared/fleet/edit.ts';
import { formatAllowedSigner } from '../../shared/trust/allowed-signers.ts';
import type { AdminKey, Clone, CloneEditor, Terminal } from '../clone-ports.ts';
import { setSigning } from './join.ts';
import { installPrePush } from './pre-push.ts';
import { clean, fleetAtHead, fleetFile, onlyOneKey, signersFile, upToDate } from './editing.ts';
import { shellWord } from './shell-word.ts';
import { usage, type Act, type Arguments, type Context } from './verb.ts';

const files = [signersFile, fleetFile] as const;

/** `autark init`: the introduction, from which all hosts of the fleet start to trust; then `join`. */
export const init: Act = async (args, context) => {
  const { terminal, roles, signal } = context;
  const branch = args.text('branch') ?? 'main';
  const wrong = branchProblem(branch);
  if (wrong !== undefined) return fail(usage('init', wrong));
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const isAgain = args.flag('again');
  const ready = await prepare(editor, branch, isAgain);
  if (!ready.ok) return ready;
  const key = await editor.adminKey(args.text('key'));
  if (!key.ok) return key;
  const second = await secondKey(args, context, editor, key.value);
  if (!second.ok) return second;
  const agreed = isAgain ? await agree(args, context) : ok(undefined);
  if (!agreed.ok) return agreed;
  const fleet = ready.value ?? (await roles.randomId());
  const named = editor.clone.branch === branch ? ok(undefined) : await editor.nameUnbornBranch(branch);
  if (!named.ok) return named;
  const keys = [key.value, ...(second.value === undefined ? [] : [second.value])];
  const introduced = await editor.commit(introductionOf(fleet, keys, isAgain), key.value);
  if (!introduced.ok) return introduced;
  const joined = await setSigning(editor, key.value);
  if (!joined.ok) return joined;
  const told = await editor.configure({ 'autark.introduction': introduced.value });
  if (!told.ok) return told;
  const hooked = await installPrePush(editor, context);
  if (!hooked.ok) return hooked;
  terminal.out(`${introduced.value}\n`);
  const done = args.flag('push') ? await editor.push(branch) : ok(undefined);
  if (!done.ok) return done;
  const outcome = { branch, fleet, introduction: introduced.value, isPushed: args.flag('push') };
  if (isAgain) nextOnHosts(terminal, outcome);
  else nextSteps(terminal, { ...outcome, remote: editor.clone.remote });
  if (second.value === undefined) terminal.note(onlyOneKey);
  return ok(0);
};

/** Hosts and machines that wait write below these names. */
function branchProblem(branch: string): string | undefined {
  const [reserved] = /^(state|testing|enroll)(?=\/|$)/.exec(branch) ?? [];
  if (reserved !== undefined)
    return `the configuration branch cannot be called ${branch}: ${reserved} belongs to the hosts`;
  const isName =
    /^[A-Za-z0-9_][A-Za-z0-9._/-]*$/.test(branch) && !/\.\.|\/\/|\/\.|\.lock(\/|$)|[./]$/.test(branch);
  return isName ? undefined : `“${branch}” cannot be the name of a branch`;
}

/** Whether a fleet may begin here; the id of the one that begins anew. */
async function prepare(
  editor: CloneEditor,
  branch: string,
  isAgain: boolean,
): Promise<Result<string | undefined>> {
  const { clone } = editor;
  if (clone.head !== null && clone.branch !== branch) return fail(otherBranch(clone.branch, branch));
  const fresh = clone.remote === null ? ok(undefined) : await upToDate(editor);
  if (!fresh.ok) return fresh;
  if (isAgain) return fleetHere(editor);
  const { head } = clone;
  const committed = head === null ? ok(new Map()) : await clone.read(files.map((file) => `${head}:${file}`));
  if (!committed.ok) return committed;
  const loose = await editor.uncommitted(files);
  if (!loose.ok) return loose;
  const taken = files.find(
    (file) => committed.value.has(`${head ?? ''}:${file}`) || loose.value.includes(file),
  );
  return taken === undefined ? ok(undefined) : fail(exists(taken, clone.root));
}

async function fleetHere(editor: CloneEditor): Promise<Result<string>> {
  const isClean = await clean(editor, files);
  if (!isClean.ok) return isClean;
  const fleet = await fleetAtHead(editor.clone);
  return fleet.ok ? ok(fleet.value.fleet.fleet) : fleet;
}

/** Hosts follow nothing until root has been at each of them: that is never done by a slip. */
async function agree(args: Arguments, { terminal }: Context): Promise<Result<void>> {
  if (args.flag('yes')) return ok(undefined);
  if (!terminal.canAsk) {
    return fail(
      usage('init', 'without a terminal --again needs --yes', 'say --yes if every signing key is lost'),
    );
  }
  terminal.note(
    'No host follows the new introduction before root has named it in the agent.yaml of that host.',
  );
  const isAgreed = await terminal.confirm(
    'Is every key lost that could sign, and shall the fleet begin anew?',
  );
  return isAgreed ? ok(undefined) : fail(declined);
}

const declined: Failure = {
  kind: 'unexpected',
  cause: 'the fleet was not introduced anew, and nothing was changed',
  remedy: 'with one key left, `autark admin add NAME --key FILE.pub` is all that is needed',
};

/** The key for the day that the first one is lost: given, asked for once, or left for later. */
async function secondKey(
  args: Arguments,
  { terminal, resolve }: Context,
  editor: CloneEditor,
  first: AdminKey,
): Promise<Result<AdminKey | undefined>> {
  const question =
    'Public key file of a second signer, kept offline for the day yours is lost (empty: later):';
  const file = args.text('second-key') ?? (terminal.canAsk ? await terminal.ask(question) : '');
  if (file === '') return ok(undefined);
  const key = await editor.adminKey(resolve(file));
  if (!key.ok) return key;
  return key.value.key === first.key ? fail(sameKey(file)) : key;
}

function sameKey(where: string): Failure {
  return {
    kind: 'usage',
    cause: 'the second key is the first one again',
    where,
    remedy: 'make another: ssh-keygen -t ed25519 -f FILE, and keep it where this machine is not',
  };
}

function introductionOf(fleet: string, keys: readonly AdminKey[], isAgain: boolean) {
  const [first] = keys;
  const readers = keys
    .filter(({ key }) => key.startsWith('ssh-ed25519 '))
    .map((each) => `${each.key} ${nameOf(each, first)}`);
  const signers = keys.map((each) => `${formatAllowedSigner(nameOf(each, first), each.key)}\n`).join('');
  const fleetYaml = { path: fleetFile, text: newFleetYaml({ fleet, readers }) };
  return {
    files: [{ path: signersFile, text: signers }, ...(isAgain ? [] : [fleetYaml])],
    message: `Introduce the fleet${isAgain ? ' anew' : ''}\n\nAutark-Fleet: ${fleet}\n`,
  };
}

function nameOf(key: AdminKey, first: AdminKey | undefined): string {
  return key === first ? key.owner : 'offline';
}

interface Outcome {
  readonly branch: string;
  readonly fleet: string;
  readonly introduction: string;
  readonly isPushed: boolean;
}

function nextOnHosts(terminal: Terminal, { introduction, isPushed }: Outcome): void {
  terminal.note('Next:');
  if (!isPushed) terminal.note('  git push');
  terminal.note(`  in every other clone: git config autark.introduction ${introduction}`);
  terminal.note(`  as root on each host, in /etc/autark/agent.yaml: introduction: ${introduction}`);
}

function nextSteps(
  terminal: Terminal,
  { branch, fleet, introduction, remote, isPushed }: Outcome & Pick<Clone, 'remote'>,
): void {
  terminal.note(`Fleet ${fleet} is introduced by the commit above; every host starts to trust from it.`);
  terminal.note('Next:');
  if (remote === null) terminal.note('  git remote add origin URL');
  if (!isPushed) terminal.note(`  git push --set-upstream ${remote?.name ?? 'origin'} ${branch}`);
  const flag = branch === 'main' ? '' : ` --branch ${branch}`;
  terminal.note(
    `  on a machine: autark enroll --remote ${shellWord(remote?.url ?? 'URL')} --host NAME --introduction ${introduction}${flag}`,
  );
}

function otherBranch(current: string, branch: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the fleet’s branch would be ${branch}, and ${current} is checked out`,
    remedy: `run \`git switch ${branch}\`, or say \`--branch ${current}\``,
  };
}

function exists(file: string, root: string): Failure {
  return {
    kind: 'unexpected',
    cause: `${file} is there already`,
    where: `${root}/${file}`,
    remedy:
      'a fleet is introduced once; in another clone of it run `autark join`, and else move the file away',
  };
}
