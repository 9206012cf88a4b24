import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '../bundle/bundle.ts';
import { run, type RunOptions } from '../test/rig/run.ts';
import { program } from '../test/rig/world.ts';
import { compare, report } from './rounds.ts';
import { makeScene } from './scene.ts';

/** What it costs to start the program, as a package and as one file, beside a Node that does nothing. */
export async function startUp(): Promise<void> {
  const hosts = ['web1', 'web2', 'web3'];
  const world = await makeScene(hosts);
  try {
    for (const host of hosts) await world.autark(['agent', '--once', '--root', world.root(host)]);
    await world.mustAutark(['status']);
    const options = { cwd: world.clone, env: world.env };
    const single = join(world.dir, 'autark.mjs');
    await writeFile(single, (await bundle(process.cwd())).text);
    const rows = await compare(
      [
        { name: 'node -e 0', measure: () => wall(['-e', '0'], options) },
        { name: 'and the five gits of status', measure: () => wall(['-e', '0'], options, gits) },
        { name: 'autark --version', measure: () => wall([program, '--version'], options) },
        { name: 'the same as one file, --version', measure: () => wall([single, '--version'], options) },
        { name: 'autark --help', measure: () => wall([program, '--help'], options) },
        { name: 'the same as one file, --help', measure: () => wall([single, '--help'], options) },
        { name: 'autark status, 3 hosts', measure: () => wall([program, 'status'], options) },
        { name: 'the same as one file, status', measure: () => wall([single, 'status'], options) },
      ],
      15,
    );
    report('Start-up', 'ms of wall time', rows, ['--version 1.2×, --help 2.5×, status 4×']);
  } finally {
    await world.remove();
  }
}

/** What `status` asks of git, one after the other: its floor together with an empty Node. */
const gits = `git rev-parse HEAD && git config --list
git fetch --quiet --prune --no-tags --no-write-fetch-head --no-auto-maintenance origin \\
  '+refs/heads/main*:refs/remotes/origin/main*' '+refs/heads/state/*:refs/remotes/origin/state/*'
git for-each-ref refs/remotes/origin
git rev-parse origin/state/web1 | git cat-file --batch`;

async function wall(args: readonly string[], options: RunOptions, script?: string): Promise<number> {
  const begin = performance.now();
  await run(process.execPath, args, options);
  if (script !== undefined) await run('/bin/sh', ['-c', script], options);
  return performance.now() - begin;
}
