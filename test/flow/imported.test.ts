import { afterAll, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { makeFleet } from '../rig/fleet.ts';
import { must, run } from '../rig/run.ts';
import type { World } from '../rig/world.ts';

/** A fleet that begins on top of a history from older days, which no `git fsck` likes and nobody can rewrite. */
const fleet = await makeFleet('autark-imported', oldHistory);
afterAll(() => fleet.world.remove());

async function oldHistory(world: World): Promise<void> {
  const { clone: cwd, env } = world;
  const write = (type: 'tree' | 'commit', input: string | Uint8Array): Promise<string> =>
    must('git', ['hash-object', '-t', type, '-w', '--literally', '--stdin'], { cwd, env, input });
  const empty = await write('tree', '');
  const padded = await write('tree', Buffer.concat([Buffer.from('040000 old\0'), Buffer.from(empty, 'hex')]));
  const text = (tree: string, who: string, parents = '') =>
    `tree ${tree}\n${parents}author ${who}\ncommitter ${who}\n\nOld\n`;
  const first = await write('commit', text(padded, 'A <a@b> 1112911993 +051800'));
  const second = await write('commit', text(empty, 'A <a@b>1112911994 +0000', `parent ${first}\n`));
  const third = await write('commit', text(empty, 'A <a@b> 1112911995 +0000', `parent ${second}\n`));
  await world.git(['reset', '--quiet', '--hard', third]);
}

test('an imported history with harmless flaws of old tools does not bar a fleet', async () => {
  const { world, server } = fleet;
  const { stdout, stderr } = await run('git', ['fsck', '--strict'], { cwd: world.clone, env: world.env });
  for (const flaw of ['badTimezone', 'missingSpaceBeforeDate', 'zeroPaddedFilemode'])
    expect(`${stdout}${stderr}`).toContain(flaw);

  const host = await fleet.join('web1');
  await server.commit({ files: execHost('web1', 'on old ground'), subject: 'Write web1' });
  expect(await host.agent()).toMatchObject({ code: 0 });
  expect(host.motd()).toBe('on old ground');
});
