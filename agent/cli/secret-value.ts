import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { SealedFile } from '../../shared/secrets/sealed.ts';
import type { SecretDesk, Terminal } from '../clone-ports.ts';

/** Every host keeps its values in memory. */
export const mostBytes = 1024 * 1024;

/** A value that a person types or a program gives. */
export async function valueFrom(
  desk: SecretDesk,
  terminal: Terminal,
  { secret }: SealedFile,
): Promise<Result<Uint8Array>> {
  if (!terminal.canAsk) {
    const value = await desk.input(mostBytes);
    return value.ok && value.value.length === 0 ? fail(empty) : value;
  }
  const typed = await terminal.askHidden(`Value of ${secret}:`);
  if (typed === '') return fail(empty);
  if (typed.includes('\n')) return fail(severalLines);
  const again = await terminal.askHidden('The same once more:');
  return typed === again ? ok(Buffer.from(typed, 'utf8')) : fail(different);
}

/**
 * A value that was read otherwise, within the same limits: nothing at all is how people call off an editor, and what a broken
 * program sealed.
 * @param where it is from, as a failure says it
 */
export function valueWithin(value: Uint8Array, where: string): Result<Uint8Array> {
  if (value.length === 0) return fail({ ...empty, where });
  return value.length > mostBytes ? fail({ ...tooLarge, where }) : ok(value);
}

const empty: Failure = {
  kind: 'unexpected',
  cause: 'no value was given, and nothing was changed',
  where: 'standard input',
  remedy: 'type one, or look at the program that was to write it',
};

const different: Failure = {
  kind: 'unexpected',
  cause: 'the two are not the same, and nothing was changed',
  remedy: 'run this again',
};

const severalLines: Failure = {
  kind: 'unexpected',
  cause: 'on a terminal a value has one line, and nothing was changed',
  where: 'standard input',
  remedy: 'pass what has several through a pipe, from a file or a program: autark secret set NAME <FILE',
};

const tooLarge: Failure = {
  kind: 'unexpected',
  cause: `the value is larger than ${mostBytes} bytes, every host keeps it in memory, and nothing was changed`,
  remedy: 'seal the key that opens it instead, and bring the rest another way',
};
