import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemRandom } from '../../../agent/adapters/random.ts';
import { fileSystems } from '../../../agent/adapters/systems.ts';
import type { Systems } from '../../../agent/ports.ts';
import type { Generation } from '../../../shared/cycle/journal.ts';
import { valueOf } from './scratch.ts';

const revision = '3c5e1a2b'.repeat(5);
const searchPath = '/run/current-system/sw/bin:/usr/bin:/bin';

/** The state folder as a process of its own would see it. */
export function openSystems(state: string): Systems {
  return fileSystems({ state, random: systemRandom(), searchPath });
}

/** A system that could be activated, reserved and not yet registered. */
export async function built(systems: Systems, content = '#!/bin/sh\n'): Promise<string> {
  const path = valueOf(await systems.reserve());
  mkdirSync(join(path, 'bin'));
  writeFileSync(join(path, 'bin/switch-to-configuration'), content, { mode: 0o755 });
  return path;
}

export async function registered(systems: Systems, number: number): Promise<Generation> {
  const path = await built(systems, `#!/bin/sh\n# ${number}\n`);
  const generation = { number, revision, kind: 'exec', ...valueOf(await systems.seal(path)) } as const;
  valueOf(await systems.register(generation));
  return generation;
}
