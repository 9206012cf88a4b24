import { readFile } from 'node:fs/promises';
import { cpuOfFetches, cpuOfPolls, makeFetcher, polls } from './polls.ts';
import { compare, report } from './rounds.ts';
import { makeScene, startAgent, type Agent } from './scene.ts';

/** What a poll that finds nothing costs, children included, and what an agent weighs after a thousand of them. */
export async function idle(): Promise<void> {
  const world = await makeScene(['web1']);
  const agent = startAgent(world, 'web1');
  try {
    await agent.next('delivered');
    const clone = await makeFetcher(world);
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

async function residentMemory({ process: { pid } }: Agent): Promise<number> {
  const status = await readFile(`/proc/${pid ?? 0}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}
