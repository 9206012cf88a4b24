import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../test/rig/run.ts';
import type { World } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';
import { makeScene, startAgent, type Agent } from './scene.ts';

const polls = 200;

/** What a poll that finds nothing costs, children included, and what an agent weighs after a thousand of them. */
export async function idle(): Promise<void> {
  const world = await makeScene(['web1']);
  const agent = startAgent(world, 'web1');
  try {
    await agent.next('delivered');
    const clone = join(world.dir, 'fetcher.git');
    await must('git', ['clone', '--quiet', '--bare', world.remote, clone], { env: world.env });
    const rows = await compare(
      [
        { name: 'bare no-op git fetch', measure: () => cpuOfFetches(world, clone) },
        { name: 'autark agent', measure: () => cpuOfPolls(agent) },
      ],
      5,
    );
    report(`CPU of an idle poll, children included, mean of ${polls}`, 'ms', rows, ['floor + 7 ms']);
    const weight = await residentMemory(agent);
    report(
      'Resident memory after more than 1,000 polls',
      'MB',
      [{ name: 'autark agent', values: [weight] }],
      ['80 MB'],
    );
  } finally {
    await agent.stop();
    await world.remove();
  }
}

/** `times` of sh(1) gives the user and system time of its children on its second line. */
async function cpuOfFetches(world: World, clone: string): Promise<number> {
  const fetch = `git fetch --quiet --no-tags "${world.remote}" +refs/heads/main:refs/heads/main`;
  const script = `i=0; while [ $i -lt ${polls} ]; do ${fetch}; i=$((i+1)); done; times`;
  const said = await must('sh', ['-c', script], { cwd: clone, env: world.env });
  const children = said.split('\n').at(-1) ?? '';
  const seconds = [...children.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return (seconds.reduce((sum, each) => sum + each, 0) * 1000) / polls;
}

async function cpuOfPolls(agent: Agent): Promise<number> {
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

async function residentMemory({ process: { pid } }: Agent): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
