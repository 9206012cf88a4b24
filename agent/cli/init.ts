import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { newFleetYaml } from '../../shared/fleet/edit.ts';
import { formatAllowedSigner } from '../../shared/trust/allowed-signers.ts';
import type { AdminKey, CloneEditor, Terminal } from '../clone-ports.ts';
import { setSigning } from './join.ts';
import { pushed, upToDate } from './editing.ts';
import { usage, type Act } from './verb.ts';

const files = ['allowed_signers', 'fleet.yaml'] as const;

/** `autark init`: the introduction, from which all hosts of the fleet start to trust; then `join`. */
export const init: Act = async (args, { terminal, roles, signal }) => {
  const branch = args.text('branch') ?? 'main';
  const wrong = branchProblem(branch);
  if (wrong !== undefined) return fail(usage('init', wrong));
  const opened = await roles.cloneEditor(signal);
  if (!opened.ok) return opened;
  const editor = opened.value;
  const ready = await prepare(editor, branch);
  if (!ready.ok) return ready;
  const key = await editor.adminKey(args.text('key'));
  if (!key.ok) return key;
  const fleet = await roles.randomId();
  const named = editor.clone.branch === branch ? ok(undefined) : await editor.nameUnbornBranch(branch);
  if (!named.ok) return named;
  const introduced = await editor.commit(introductionOf(fleet, key.value), key.value);
  if (!introduced.ok) return introduced;
  const joined = await setSigning(editor, key.value);
  if (!joined.ok) return joined;
  const told = await editor.configure({ 'autark.introduction': introduced.value });
  if (!told.ok) return told;
  terminal.out(`${introduced.value}\n`);
  const done = await pushed(editor, branch, args.flag('push'));
  if (!done.ok) return done;
  nextSteps(terminal, {
    branch,
    fleet,
    introduction: introduced.value,
    remote: editor.clone.remote,
    isPushed: args.flag('push'),
  });
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

async function prepare(editor: CloneEditor, branch: string): Promise<Result<void>> {
  const { clone } = editor;
  if (clone.head !== null && clone.branch !== branch) return fail(otherBranch(clone.branch, branch));
  const fresh = clone.remote === null ? ok(undefined) : await upToDate(editor);
  if (!fresh.ok) return fresh;
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

function introductionOf(fleet: string, key: AdminKey) {
  const readers = key.key.startsWith('ssh-ed25519 ') ? [`${key.key} ${key.owner}`] : [];
  return {
    files: [
      { path: 'allowed_signers', text: `${formatAllowedSigner(key.owner, key.key)}\n` },
      { path: 'fleet.yaml', text: newFleetYaml({ fleet, readers }) },
    ],
    message: `Introduce the fleet\n\nAutark-Fleet: ${fleet}\n`,
  };
}

interface Outcome {
  readonly branch: string;
  readonly fleet: string;
  readonly introduction: string;
  readonly remote: { readonly name: string; readonly url: string } | null;
  readonly isPushed: boolean;
}

function nextSteps(terminal: Terminal, { branch, fleet, introduction, remote, isPushed }: Outcome): void {
  terminal.note(`Fleet ${fleet} is introduced by the commit above; every host starts to trust from it.`);
  terminal.note('Next:');
  if (remote === null) terminal.note('  git remote add origin URL');
  if (!isPushed) terminal.note(`  git push --set-upstream ${remote?.name ?? 'origin'} ${branch}`);
  const flag = branch === 'main' ? '' : ` --branch ${branch}`;
  terminal.note(
    `  on a machine: autark enroll --remote ${remote?.url ?? 'URL'} --host NAME --introduction ${introduction}${flag}`,
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
