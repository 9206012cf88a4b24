import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostOpener } from '../agent/adapters/age/identities.ts';
import { ageSealer } from '../agent/adapters/age/sealer.ts';
import { fileSecrets } from '../agent/adapters/secrets/store.ts';
import { bundle } from '../bundle/bundle.ts';
import { serialiseGeneration } from '../shared/cycle/parse-generation.ts';
import type { SealedSecret } from '../shared/secrets/secret.ts';
import { must } from '../test/rig/run.ts';
import { environment, program } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';

const secrets = 100;
const readers = 5;

/**
 * What a boot waits for: a hundred secrets opened and placed by one process, its start included; beside a shell that calls
 * the `age` program once for each. Both read from memory and write to it, so no disk has a part in this.
 */
export async function secretsBoot(): Promise<void> {
  const root = await mkdtemp('/dev/shm/autark-bench-');
  try {
    const env = environment(root);
    const all = await sealAll(root, env);
    await keep(root, all);
    const single = join(root, 'autark.mjs');
    await writeFile(single, (await bundle(process.cwd())).text);
    const out = join(root, 'out');
    const loop = ['-c', script, 'sh', join(root, 'var/lib/autark/key'), join(root, 'sealed'), out];
    const install = (file: string) => [file, 'secrets', 'install', '--root', root];
    const placed = join(root, 'run/autark/secrets');
    const timed = (file: string, args: readonly string[], folder: string) => async () => {
      await rm(out, { recursive: true, force: true });
      await rm(join(root, 'run'), { recursive: true, force: true });
      const begin = performance.now();
      await must(file, args, { env });
      const took = performance.now() - begin;
      if ((await readdir(folder)).length !== secrets) throw new Error(`${folder} has not all secrets`);
      return took;
    };
    const rows = await compare(
      [
        { name: 'sh: age -d, chmod, each', measure: timed('/bin/sh', loop, out) },
        { name: 'autark secrets install', measure: timed(process.execPath, install(program), placed) },
        { name: 'the same as one file', measure: timed(process.execPath, install(single), placed) },
      ],
      7,
    );
    report(`Boot, ${secrets} secrets, ${readers} keys`, 'ms for all', rows, ['1×']);
  } finally {
    await rm(root, { recursive: true });
  }
}

const script = `umask 077; mkdir "$3"
for file in "$2"/*; do
  to="$3/$(basename "$file" .age)"
  age -d -i "$1" -o "$to" "$file" && chmod 0400 "$to" || exit 1
done`;

/** Each of 200 bytes, to the host, whose key comes last, and to who else reads them; a file for each in `sealed`. */
async function sealAll(
  root: string,
  env: Readonly<Record<string, string>>,
): Promise<readonly SealedSecret[]> {
  const state = join(root, 'var/lib/autark');
  await mkdir(state, { recursive: true });
  await mkdir(join(root, 'sealed'));
  const keys = Array.from({ length: readers - 1 }, (_, index) => join(root, `reader-${index}`));
  const lines: string[] = [];
  for (const file of [...keys, join(state, 'key')]) {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file], { env });
    lines.push((await readFile(`${file}.pub`, 'utf8')).trim());
  }
  const all: SealedSecret[] = [];
  for (let index = 0; index < secrets; index += 1) {
    const name = `secret-${index}`;
    const sealed = await ageSealer().seal(Buffer.alloc(200, name), lines);
    if (!sealed.ok) throw new Error(sealed.failure.cause);
    const bytes = Buffer.from(sealed.value);
    await writeFile(join(root, 'sealed', `${name}.age`), bytes);
    const placing = { owner: 'root', group: 'root', mode: 0o400, restart: [], reload: [], early: false };
    all.push({ ...placing, name, file: `secrets/${name}.age`, sealed: bytes });
  }
  return all;
}

/** As a deployment does, so that the generation which boots has them. */
async function keep(root: string, all: readonly SealedSecret[]): Promise<void> {
  const state = join(root, 'var/lib/autark');
  const opener = await hostOpener(join(state, 'key'));
  if (!opener.ok) throw new Error(opener.failure.cause);
  const store = fileSecrets({
    ...{ root, state, run: join(root, 'run/autark'), env: {}, hasSystemd: false },
    ...{ opener: opener.value, sealer: ageSealer() },
  });
  const kept = await store.keep(all);
  if (!kept.ok || kept.value === null) throw new Error('the secrets could not be kept');
  const current = join(state, 'current');
  await mkdir(current);
  const generation = serialiseGeneration({
    ...{ number: 1, revision: '0'.repeat(40), kind: 'exec', path: '/none', digest: 'none' },
    secrets: kept.value.id,
  });
  await writeFile(join(current, 'generation.json'), generation);
}
