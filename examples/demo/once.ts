import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { followUntil } from './follow.ts';
import type { Stage } from './stage.ts';

const host = 'web1';

const letter = 'the only copy of a letter';

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
  const { world, disk, say, show, print } = stage;
  say(`A step is done once in a machine’s life. web1 formats its disk (${disk.name}):`);
  show('git commit -m "Format web1’s disk" && git push');
  const path = join(world.clone, 'fleet.yaml');
  await world.git(['pull', '--quiet']);
  const lines = `  web1:\n    steps:\n      - { name: format, run: hosts/web1/format${disk.destroys} }\n`;
  const text = (await readFile(path, 'utf8')).replace('  web1:\n', lines);
  const format = { executable: disk.format('web1') };
  await world.commit({ 'fleet.yaml': text, 'hosts/web1/format': format }, 'Format web1’s disk');
  if (disk.serial !== null) await approve(stage, disk.serial);
  await followUntil(stage, ({ state }) => state === 'converged');
  await disk.write(`${letter}\n`);
  print(`web1’s disk has: ${await disk.read()}`);
}

/** Nothing is destroyed before a person has seen what the machine sees. */
async function approve(stage: Stage, serial: string): Promise<void> {
  const { world, say, show, print } = stage;
  await followUntil(stage, ({ host: name, state }) => name !== host || state === 'held');
  say('It waits, for nobody has approved that. Whoever does is shown the disk, and types its serial number:');
  show(`autark step approve web1 format --serial ${serial} --push`);
  const approved = await world.autark(['step', 'approve', host, 'format', '--serial', serial, '--push']);
  print(approved.stderr.trimEnd());
  if (approved.code !== 0) throw new Error(`not approved: exit ${String(approved.code)}`);
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
  const { world, disk, say, show, print } = stage;
  say('Then web1 loses all that it knows but its key, and somebody changes the formatting program:');
  await stage.stopAgent(host);
  const state = join(world.root(host), 'var/lib/autark');
  for (const name of await readdir(state))
    if (!/^key(\.pub)?$/.test(name)) await rm(join(state, name), { recursive: true });
  const format = { executable: disk.format('other') };
  await world.commit({ 'hosts/web1/format': format }, 'Another format');
  show('autark enroll --resume && autark agent --once');
  const root = ['--root', world.root(host)];
  await world.mustAutark(['enroll', '--resume', ...root]);
  const { code, stderr } = await world.autark(['agent', '--once', ...root]);
  print(stderr.split('\n').find((line) => line.includes('step format')) ?? stderr);
  const left = await disk.read();
  if (code !== 0 || left.trim() !== letter) throw new Error(`the disk of web1 is not what it was: ${left}`);
  print(`It read in Git what it had done. web1’s disk has: ${left}`);
}
