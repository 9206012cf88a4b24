import { appendFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { followUntil } from './follow.ts';
import type { Stage } from './stage.ts';

const host = 'web1';

/** Formats what stands for the disk: a file, so that nobody needs any rights for the demo. */
const format = {
  executable: '#!/bin/sh\nset -eu\necho "an empty file system" >"$AUTARK_ROOT/disk"\n',
};

/**
 * Why autark exists: a tool that formats disks where it finds no state wipes a server as soon as somebody runs it without the
 * state. Here the same things happen, and the file is still there.
 */
export async function onlyOnce(stage: Stage): Promise<void> {
  await formatIt(stage);
  await newcomer(stage);
  await lostMemory(stage);
}

async function formatIt(stage: Stage): Promise<void> {
  const { world, say, show, print } = stage;
  say('A step is done once in a machine’s life. web1 formats its disk (for the demo, a file):');
  show('git commit -m "Format web1’s disk" && git push');
  const path = join(world.clone, 'fleet.yaml');
  await world.git(['pull', '--quiet']);
  const lines = '  web1:\n    steps: [{ name: format, run: hosts/web1/format }]\n';
  const text = (await readFile(path, 'utf8')).replace('  web1:\n', lines);
  await world.commit({ 'fleet.yaml': text, 'hosts/web1/format': format }, 'Format web1’s disk');
  await followUntil(stage, ({ state }) => state === 'converged');
  await appendFile(disk(stage), 'the only copy of a letter\n');
  print(`web1’s disk has: ${await contents(stage)}`);
}

async function newcomer({ world, say, show, print }: Stage): Promise<void> {
  say('A newcomer has a clone, a laptop and no state, and deploys web1 from there:');
  const root = world.root('laptop');
  const introduction = (await world.git(['rev-list', '--max-parents=0', 'HEAD'])).trim();
  const given = ['--remote', world.remote, '--host', host, '--introduction', introduction];
  await world.mustAutark(['enroll', '--root', root, ...given, '--no-service']);
  show('autark agent --once');
  const { code, stderr } = await world.autark(['agent', '--once', '--root', root]);
  print(stderr.trim().split('\n').at(-1) ?? '');
  print(`(exit ${String(code)}: an agent is only ever the host whose key it holds)`);
}

async function lostMemory(stage: Stage): Promise<void> {
  const { world, say, show, print } = stage;
  say('Then web1 loses all that it knows but its key, and somebody changes the formatting program:');
  await stage.stopAgent(host);
  const state = join(world.root(host), 'var/lib/autark');
  for (const name of await readdir(state))
    if (!/^key(\.pub)?$/.test(name)) await rm(join(state, name), { recursive: true });
  await writeFile(join(world.clone, 'hosts/web1/format'), format.executable.replace('empty', 'other'));
  await world.commit({}, 'Another format');
  show('autark enroll --resume && autark agent --once');
  const root = ['--root', world.root(host)];
  await world.mustAutark(['enroll', '--resume', ...root]);
  const { code, stderr } = await world.autark(['agent', '--once', ...root]);
  print(stderr.split('\n').find((line) => line.includes('step format')) ?? stderr);
  const left = await contents(stage);
  if (code !== 0 || !left.includes('letter')) throw new Error(`the disk of web1 is not what it was: ${left}`);
  print(`It read in Git what it had done. web1’s disk has: ${left}`);
}

function disk({ world }: Stage): string {
  return join(world.root(host), 'disk');
}

async function contents(stage: Stage): Promise<string> {
  return (await readFile(disk(stage), 'utf8')).trim().split('\n').join(', ');
}
