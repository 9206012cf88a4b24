import type { World } from '../test/rig/world.ts';
import { cpuOfFetches, cpuOfPolls, makeFetcher, polls } from './polls.ts';
import { compare, report } from './rounds.ts';
import { makeScene, startAgent, type Agent } from './scene.ts';
import { growHistory } from './signed-history.ts';

const commits = 20_000;

/** An idle poll of a fleet with a long history and a branch for testing that main has left behind, beside a new fleet. */
export async function idleLarge(): Promise<void> {
  const places = [await makePlace(() => Promise.resolve()), await makePlace(leaveBehind)];
  try {
    const [small, large] = places;
    if (small === undefined || large === undefined) return;
    const rows = await compare(
      [
        { name: 'git fetch, new fleet', measure: () => cpuOfFetches(small.world, small.clone) },
        { name: `git fetch, ${commits} commits`, measure: () => cpuOfFetches(large.world, large.clone) },
        { name: 'autark agent, new fleet', measure: () => cpuOfPolls(small.agent) },
        { name: `autark agent, ${commits} commits`, measure: () => cpuOfPolls(large.agent) },
      ],
      5,
    );
    const title = `CPU of an idle poll of a fleet with ${commits} commits, mean of ${polls}`;
    report(`${title}: git alone`, 'ms', rows.slice(0, 2));
    report(`${title}: the agent`, 'ms', rows.slice(2), ['1.05× of that of a new fleet']);
  } finally {
    for (const { agent, world } of places) {
      await agent.stop();
      await world.remove();
    }
  }
}

interface Place {
  readonly world: World;
  readonly agent: Agent;
  readonly clone: string;
}

async function makePlace(prepare: (world: World) => Promise<void>): Promise<Place> {
  const world = await makeScene(['web1']);
  await prepare(world);
  const agent = startAgent(world, 'web1');
  await agent.next('delivered');
  // The trial that is over is looked at once, after the head has been deployed.
  const settled = agent.next('idle');
  agent.process.kill('SIGHUP');
  await settled;
  return { world, agent, clone: await makeFetcher(world) };
}

/** The branch for testing stays on a commit of its own, where main was when it began to grow. */
async function leaveBehind(world: World): Promise<void> {
  await world.commit({ notes: 'Try it\n' }, 'Try it', 'refs/heads/testing/web1');
  await world.git(['reset', '--quiet', '--hard', 'origin/main']);
  await growHistory(world, commits);
}
