import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../test/rig/run.ts';
import type { World } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';
import { makeScene, startAgent } from './scene.ts';

/** Notes the time at which an activation begins, in nanoseconds since the epoch, before it does anything else. */
const build = `#!/bin/sh
set -eu
mkdir -p "$out/bin" "$out/etc"
cp hosts/web1/motd "$out/etc/motd"
cat >"$out/bin/switch-to-configuration" <<'END'
#!/bin/sh
date +%s%N >>"$AUTARK_ROOT/begun"
END
chmod +x "$out/bin/switch-to-configuration"
`;

/** The least that a machine could do: fetch, write out, build, sync, activate. */
const bareLoop = `set -eu
git fetch --quiet origin main
rm -rf ../tree && mkdir ../tree
git archive FETCH_HEAD | tar -x -C ../tree
cd ../tree
out=$AUTARK_ROOT/system-$(date +%s%N)
mkdir "$out"
export out
hosts/web1/build
sync -f "$out"
"$out/bin/switch-to-configuration" switch
`;

/** From the moment a branch moves on the server to the moment an activation begins. Each contender has its own. */
export async function deployment(): Promise<void> {
  const worlds = { loop: await makeScene(['web1']), agent: await makeScene(['web1']) };
  const agent = startAgent(worlds.agent, 'web1');
  try {
    const first = agent.next('delivered');
    for (const world of Object.values(worlds)) {
      await world.commit({ 'hosts/web1/build': { executable: build } }, 'Note the time');
    }
    await first;
    const loop = await prepareLoop(worlds.loop);
    const rows = await compare(
      [
        {
          name: 'fetch, build, sync, activate',
          measure: async () => {
            const begin = await publish(worlds.loop);
            const env = { ...worlds.loop.env, AUTARK_HOST: 'web1', AUTARK_ROOT: loop.root };
            await must('sh', ['-c', bareLoop], { cwd: loop.clone, env });
            return (await lastBegun(loop.root)) - begin;
          },
        },
        {
          name: 'autark agent',
          measure: async () => {
            const delivered = agent.next('delivered');
            const begin = await publish(worlds.agent);
            await delivered;
            return (await lastBegun(worlds.agent.root('web1'))) - begin;
          },
        },
      ],
      15,
    );
    report('Branch moves to activation begins, exec on a local remote', 'ms', rows, ['floor + 25 ms']);
  } finally {
    await agent.stop();
    for (const world of Object.values(worlds)) await world.remove();
  }
}

/** Brings a change to the server, then moves the branch to it: only that is timed. */
async function publish(world: World): Promise<number> {
  const text = `Change at ${performance.now()}\n`;
  const id = await world.commit({ 'hosts/web1/motd': text }, 'Change the greeting', 'refs/staging/next');
  const begin = Date.now();
  await must('git', ['update-ref', 'refs/heads/main', id], { cwd: world.remote, env: world.env });
  return begin;
}

async function prepareLoop(world: World): Promise<{ clone: string; root: string }> {
  const clone = join(world.dir, 'loop', 'clone');
  const root = join(world.dir, 'loop', 'root');
  await mkdir(root, { recursive: true });
  await must('git', ['clone', '--quiet', world.remote, clone], { env: world.env });
  await writeFile(join(root, 'begun'), '');
  await rm(join(world.dir, 'loop', 'tree'), { recursive: true, force: true });
  return { clone, root };
}

async function lastBegun(root: string): Promise<number> {
  const lines = (await readFile(join(root, 'begun'), 'utf8')).trim().split('\n');
  return Number(lines.at(-1)) / 1e6;
}
