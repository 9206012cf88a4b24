import { filesDigest, type StepFile } from '../../shared/disk/step-files.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Step } from '../../shared/fleet/fleet.ts';
import type { ObjectId } from '../../shared/objects/object.ts';
import type { Clone } from '../clone-ports.ts';
import { lookUp, readCommit } from '../objects/read.ts';
import { withObjects } from './authority.ts';

/** What of a step an approval binds besides its disks. */
export interface StepSource {
  readonly program: ObjectId;
  readonly files: string;
}

/** The program of a step and its files as a commit has them; a failure when the host would not run it. */
export function stepSource(
  clone: Clone,
  commit: ObjectId,
  { run, files }: Step,
): Promise<Result<StepSource>> {
  return withObjects(clone, async (objects) => {
    const read = await readCommit(objects, commit);
    if (!read.ok) return read;
    const { tree } = read.value.commit;
    const program = await lookUp(objects, tree, run);
    if (!program.ok) return program;
    if (program.value?.mode !== '100755') return fail(noProgram(run));
    const found: StepFile[] = [];
    for (const path of files) {
      const item = await lookUp(objects, tree, path);
      if (!item.ok) return item;
      if (item.value === null) return fail(noFile(path));
      found.push({ path, mode: item.value.mode, id: item.value.id });
    }
    return ok({ program: program.value.id, files: filesDigest(found) });
  });
}

function noProgram(run: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the step’s program ${run} is no executable file of the last commit`,
    where: run,
    remedy: `add it, run \`chmod +x ${run}\` and commit; an approval is for a program that can be read`,
  };
}

function noFile(path: string): Failure {
  return {
    kind: 'unexpected',
    cause: `the step’s file ${path} is not in the last commit`,
    where: path,
    remedy: 'add it, or correct `files`, and commit',
  };
}
