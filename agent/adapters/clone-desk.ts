import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { SecretDesk } from '../clone-ports.ts';
import { identitiesIn } from './age/identities.ts';
import { openerFor } from './age/opener.ts';
import { ageSealer } from './age/sealer.ts';
import { editInMemory } from './clone-edit.ts';
import { fileFailure } from './file-failure.ts';

export interface DeskStreams {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

export function secretDesk({ env, input, output }: DeskStreams): SecretDesk {
  return {
    sealer: ageSealer(),
    async opener(file, ask) {
      const keys = await identitiesIn(file, ask);
      return keys.ok ? ok(openerFor(keys.value)) : keys;
    },
    input: (most) => readAll(input, most),
    output: (value) =>
      new Promise((resolve) => {
        // A reader that has gone away is no error; the terminal listens for it.
        output.write(value, () => {
          resolve();
        });
      }),
    fileAt: (path, most) => readFileAt(path, most),
    edit: (value, name, signal) => editInMemory(value, { name, env, signal }),
  };
}

async function readAll(input: NodeJS.ReadableStream, most: number): Promise<Result<Uint8Array>> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > most) return fail(tooLarge('standard input', most));
    chunks.push(bytes);
  }
  return ok(Buffer.concat(chunks));
}

async function readFileAt(path: string, most: number): Promise<Result<Uint8Array>> {
  try {
    const file = await open(path, constants.O_RDONLY);
    try {
      if ((await file.stat()).size > most) return fail(tooLarge(path, most));
      return ok(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (error) {
    return fail(fileFailure(error, 'read the file', path));
  }
}

function tooLarge(where: string, most: number): Failure {
  return {
    kind: 'unexpected',
    cause: `the value is larger than ${most} bytes, and every host keeps it in memory`,
    where,
    remedy: 'seal the key that opens it instead, and bring the rest another way',
  };
}
