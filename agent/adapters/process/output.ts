import type { ChildProcess } from 'node:child_process';
import { keepTail } from './tail.ts';

/** What a program writes, bounded. */
export interface Output {
  /** Resolves when more than the cap was written. */
  readonly flooded: Promise<void>;
  /** Resolves when nobody holds the pipes any more, or they were closed. */
  readonly ended: Promise<void>;
  /** Lets go of the pipes: whoever still writes to them gets EPIPE. */
  close(): void;
  stdout(): Uint8Array;
  tail(): string;
}

export interface OutputRules {
  readonly outputCap: number;
  readonly stdout: 'keep' | 'tail';
  /** Takes standard error in place of the tail. */
  readonly onStderr?: (chunk: Buffer) => void;
}

/** Listens to both streams of a process that was just started. */
export function watchOutput(child: Pick<ChildProcess, 'stdout' | 'stderr'>, rules: OutputRules): Output {
  const tail = keepTail();
  const kept: Buffer[] = [];
  let seen = 0;
  let overflow = (): void => undefined;
  const flooded = new Promise<void>((resolve) => (overflow = resolve));
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null);
  const ends = streams.map(
    (stream) =>
      new Promise<void>((resolve) => {
        stream.on('error', () => undefined);
        stream.once('close', resolve);
        stream.on('data', (chunk: Buffer) => {
          const room = Math.max(0, rules.outputCap - seen);
          const taken = chunk.subarray(0, room);
          seen += chunk.length;
          if (stream === child.stdout && rules.stdout === 'keep') kept.push(taken);
          else if (stream === child.stderr && rules.onStderr !== undefined) rules.onStderr(taken);
          else tail.add(taken);
          if (seen > rules.outputCap) overflow();
        });
      }),
  );
  return {
    flooded,
    ended: Promise.all(ends).then(() => undefined),
    close: () => {
      for (const stream of streams) stream.destroy();
    },
    stdout: () => Buffer.concat(kept),
    tail: () => tail.text(),
  };
}
