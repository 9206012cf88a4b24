import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../test/rig/run.ts';
import type { World } from '../test/rig/world.ts';
import type { Agent } from './scene.ts';

/** How many are measured at once: the system counts CPU time in steps of 10 ms. */
export const polls = 200;

/** A bare clone to fetch into, beside the agent's own. */
export async function makeFetcher({ dir, remote, env }: World): Promise<string> {
  const clone = join(dir, 'fetcher.git');
  await must('git', ['clone', '--quiet', '--bare', remote, clone], { env });
  return clone;
}

/** Milliseconds of CPU time for one fetch. `times` of sh(1) gives that of its children on its second line. */
export async function cpuOfFetches(world: World, clone: string): Promise<number> {
  const fetch = `git fetch --quiet --no-tags "${world.remote}" +refs/heads/main:refs/heads/main`;
  const script = `i=0; while [ $i -lt ${polls} ]; do ${fetch}; i=$((i+1)); done; times`;
  const said = await must('sh', ['-c', script], { cwd: clone, env: world.env });
  const children = said.split('\n').at(-1) ?? '';
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return (seconds.reduce((sum, each) => sum + each, 0) * 1000) / polls;
}

/** Milliseconds of CPU time for one poll that finds nothing. */
export async function cpuOfPolls(agent: Agent): Promise<number> {
  const before = await cpuTime(agent);
  for (let poll = 0; poll < polls; poll += 1) {
    const done = agent.next('idle');
    agent.process.kill('SIGHUP');
    await done;
  }
  return ((await cpuTime(agent)) - before) / polls;
}

/** User and system time of a process and its waited-for children, in milliseconds: proc_pid_stat(5), 14 to 17. */
async function cpuTime({ process: { pid } }: Agent): Promise<number> {
  const stat = await readFile(`/proc/${pid ?? 0}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0);
  return ticks * 10;
}
