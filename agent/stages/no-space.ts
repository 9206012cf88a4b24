import type { Failure } from '../../shared/failure.ts';
import type { Context } from '../context.ts';

/** A failure that a full file system explains: the world's fault, whatever the program said (52). */
export function noSpace(cause: string, said?: Failure): Failure {
  const detail = said?.detail ?? said?.cause;
  return {
    kind: 'no-space',
    cause: `${cause}: the file system is full`,
    where: said?.where ?? 'var/lib/autark',
    remedy: 'make room; the agent tries again by itself',
    ...(detail === undefined ? {} : { detail }),
  };
}

/** A build that failed on a full disk is not a bad revision. Asked before anything is cleaned away. */
export async function blame(context: Context, failure: Failure): Promise<Failure> {
  const isFull = await context.effects('build').machine.isFull();
  return isFull ? noSpace('the system could not be built', failure) : failure;
}
