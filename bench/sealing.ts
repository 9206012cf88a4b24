import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostOpener } from '../agent/adapters/age/identities.ts';
import { ageSealer } from '../agent/adapters/age/sealer.ts';
import { must } from '../test/rig/run.ts';
import { environment } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';

const secrets = 100;
const readers = 50;

/**
 * A hundred values sealed to fifty SSH keys, and opened by one of them, in this process; beside the `age` program, once
 * for each value.
 */
export async function sealing(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'autark-bench-'));
  const env = environment(dir);
  try {
    const key = join(dir, 'key-0');
    const list = join(dir, 'readers');
    const lines = await makeReaders(dir, env);
    await writeFile(list, lines.join('\n'));
    const value = Buffer.alloc(200, 'v');
    const [clear, sealed] = [join(dir, 'clear'), join(dir, 'sealed.age')];
    await writeFile(clear, value);
    await must('age', ['-a', '-R', list, '-o', sealed, clear], { env });
    const bytes = await readFile(sealed);
    const seal = async () => {
      const sealer = ageSealer();
      return each(() => sealer.seal(value, lines));
    };
    const open = async () => {
      const opener = await hostOpener(key);
      if (!opener.ok) throw new Error(opener.failure.cause);
      return each(() => opener.value.open(bytes, sealed));
    };
    const age = (args: readonly string[]) => () => each(() => must('age', args, { env }));
    const sealings = [
      { name: 'age -R, one by one', measure: age(['-a', '-R', list, '-o', join(dir, 'out'), clear]) },
      { name: 'autark seals', measure: seal },
    ];
    const openings = [
      { name: 'age -d, one by one', measure: age(['-d', '-i', key, '-o', join(dir, 'out'), sealed]) },
      { name: 'autark opens', measure: open },
    ];
    const about = `${secrets} secrets, ${readers} readers`;
    report(`Sealing, ${about}`, 'ms a secret', await compare(sealings, 5), ['1×']);
    report(`Opening, ${about}`, 'ms a secret', await compare(openings, 5), ['1×']);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** The keys' lines, without comments; the files are `key-0` and so on. */
async function makeReaders(dir: string, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let index = 0; index < readers; index += 1) {
    const file = join(dir, `key-${index}`);
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file], { env });
    lines.push((await readFile(`${file}.pub`, 'utf8')).trim());
  }
  return lines;
}

/** Milliseconds for one of a hundred turns. */
async function each(turn: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  for (let count = 0; count < secrets; count += 1) await turn();
  return (performance.now() - begin) / secrets;
}
