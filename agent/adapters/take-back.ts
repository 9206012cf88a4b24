import { chmod, lchown } from 'node:fs/promises';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { fileFailure } from './file-failure.ts';
import type { Account } from './process/account.ts';
import { endAllOf } from './strays.ts';
import { walk } from './system-tree.ts';

/**
 * Makes what a build left the agent's own, so that nobody changes it any more: first nothing of the builder's may run,
 * so no entry is exchanged meanwhile, and nobody has a file open. Nothing in a system runs as another user than whoever
 * starts it: set-user-ID, set-group-ID and sticky bits go (inode(7)).
 */
export async function takeBack(system: string, builder: Account): Promise<Result<void>> {
  if (!(await endAllOf(builder))) return fail(running(system, builder));
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  try {
    for await (const { absolute, stat } of walk(Buffer.from(system))) {
      await lchown(absolute, uid, gid);
      if (!stat.isSymbolicLink() && (stat.mode & 0o7000) !== 0) await chmod(absolute, stat.mode & 0o777);
    }
    return ok(undefined);
  } catch (error) {
    return fail(fileFailure(error, 'take over what was built', system));
  }
}

function running(where: string, { uid }: Account): Failure {
  return {
    kind: 'unexpected',
    cause: `processes of the build still run and cannot be ended (user ${uid})`,
    where,
    remedy: `look at them (ps -u ${uid}): a disk or a network file system may hang; the agent tries again by itself`,
  };
}
