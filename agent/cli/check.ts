import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { isObjectId, type ObjectId } from '../../shared/objects/object.ts';
import { oneLine } from '../../shared/printable.ts';
import type { Clone } from '../clone-ports.ts';
import { checkRevision, type Checked, type Measures } from '../fleet/check.ts';
import { paragraph } from './paragraph.ts';
import { trusted } from './trusted.ts';
import { usage, type Act, type Arguments } from './verb.ts';

/** `autark check`: exits with 0 when hosts would take the revision, and else with the code of the first finding. */
export const check: Act = async (args, { roles, terminal, signal }) => {
  const measures = measuresOf(args);
  if (!measures.ok) return measures;
  const clone = await roles.anyClone(signal);
  if (!clone.ok) return clone;
  const revision = await resolveRevision(clone.value, args.positional('REV') ?? 'HEAD');
  if (!revision.ok) return revision;
  const checked = await checkRevision(clone.value, revision.value, measures.value);
  if (!checked.ok) return checked;
  const { findings, warnings, introduction } = checked.value;
  if (introduction.isFound) terminal.note(`autark: ${trusted(introduction.id)}`);
  for (const warning of warnings) terminal.note(`autark: ${oneLine(warning)}`);
  const [first] = findings;
  if (first === undefined && args.flag('quiet') && !args.flag('json')) return ok(0);
  terminal.out(
    args.flag('json')
      ? JSON.stringify({ format: 1, ok: first === undefined, findings }, null, 2)
      : [...findings.map(paragraph), summary(revision.value, checked.value)].join('\n'),
  );
  return ok(first?.code ?? 0);
};

function measuresOf(args: Arguments): Result<Measures> {
  const [introduction, floor] = [args.text('introduction'), args.text('floor')];
  for (const [name, text] of Object.entries({ introduction, floor })) {
    if (text !== undefined && !isObjectId(text))
      return fail(usage('check', `--${name} is a commit of 40 digits, not ${oneLine(text)}`));
  }
  return ok({
    ...(introduction === undefined ? {} : { introduction }),
    ...(floor === undefined ? {} : { floor }),
  });
}

/** The commit that a name stands for in this clone (gitrevisions(7)). */
export async function resolveRevision(clone: Clone, name: string): Promise<Result<ObjectId>> {
  // One line a name: what git would take for two is no name.
  if (/[\n\0]/.test(name)) return fail(unknown(name, clone));
  const asked = `${name}^{commit}`;
  const found = await clone.read([asked]);
  if (!found.ok) return found;
  const id = found.value.get(asked)?.id;
  return id === undefined ? fail(unknown(name, clone)) : ok(id);
}

function unknown(name: string, { root }: Clone): Failure {
  return {
    kind: 'unexpected',
    cause: `there is no commit ${oneLine(name)} here`,
    where: root,
    remedy: 'name a branch, a tag or a commit that this clone has; `git fetch` brings what others pushed',
  };
}

function summary(revision: ObjectId, { introduction, commits, findings }: Checked): string {
  const short = revision.slice(0, 7);
  if (findings.length > 0) {
    // Who can open what is nothing that a host judges: it opens what is sealed to it.
    const areOfSecrets = findings.every(({ rule }) => rule === 'S11');
    const so = areOfSecrets
      ? 'hosts would deploy this, with secrets that others can open, or that they cannot'
      : 'hosts would not deploy this as it is';
    return `${short}: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}; ${so}`;
  }
  const count = `${commits} ${commits === 1 ? 'commit' : 'commits'}`;
  return `${short}: hosts would take it; ${count} since the introduction ${introduction.id} authentic`;
}
