import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Emulated, makeEmulated, outside } from './emulated.ts';
import { type Fleet, makeFleet } from './fleet.ts';
import { type GitDaemon, startGitDaemon } from './git-daemon.ts';
import { imageWith, type Provider, startProvider } from './provider.ts';
import { exampleSteps } from './rented-server.ts';
import { run, type RanProgram } from './run.ts';
import { putSingleFile } from './single-file.ts';
import { program } from './world.ts';

const example = join(import.meta.dirname, '../../examples/rented-server');

/** The disk of the server, as its kernel calls it; the example has room for two volumes of 80 GB. */
export const disk = { serial: 'S3R1ALN0', megabytes: 100 * 1024, id: 'virtio-S3R1ALN0' };
/** Two that are alike, for an array. */
export const members = ['R41D-A', 'R41D-B'] as const;

/** A server with a kernel of its own that somebody rents, the admin's clone, and the provider. */
export interface RentedMachine {
  readonly fleet: Fleet;
  readonly server: Emulated;
  readonly provider: Provider;
  /** Where the server finds the fleet's repository. */
  readonly remote: string;
  /** Runs commands in the admin's clone on a terminal; `typed` is what a person types there. Both streams are one. */
  desk(commands: string, typed?: string): Promise<RanProgram>;
  /** Puts the example's files and its steps, with what is this server's own, into the clone. */
  fillIn(): void;
  remove(): Promise<void>;
}

/** Booted. @param letter what the provider's image has in its only file */
export async function rentMachine(letter: string): Promise<RentedMachine> {
  const ends: (() => Promise<unknown>)[] = [];
  const remove = async (): Promise<void> => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const fleet = await makeFleet('autark-emulated');
    ends.push(() => fleet.world.remove());
    const { dir } = fleet.world;
    const daemon = await startGitDaemon(dir);
    ends.push(() => daemon.stop());
    const provider = await startProvider(await imageWith(letter));
    ends.push(() => provider.stop());
    const single = join(dir, 'autark.mjs');
    await putSingleFile(single);
    const files = { [process.execPath]: '/usr/local/bin/node', [single]: '/usr/local/bin/autark' };
    const disks = [disk, ...members.map((serial) => ({ serial, megabytes: 128 }))];
    const server = await makeEmulated('web1', disks, files);
    ends.push(() => server.remove());
    await server.boot();
    return rented({ fleet, server, provider, daemon }, remove);
  } catch (error) {
    await remove();
    throw error;
  }
}

interface Parts extends Pick<RentedMachine, 'fleet' | 'server' | 'provider'> {
  readonly daemon: GitDaemon;
}

function rented({ fleet, server, provider, daemon }: Parts, remove: () => Promise<void>): RentedMachine {
  const { dir, clone, env } = fleet.world;
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'autark'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(join(bin, 'autark'), 0o755);
  const seen = (url: string): string => url.replace('127.0.0.1', outside);
  return {
    ...{ fleet, server, provider, remove, remote: seen(daemon.url('fleet.git')) },
    async desk(commands, typed = '') {
      const file = join(dir, 'commands');
      writeFileSync(file, commands);
      const ran = await run('script', ['--quiet', '--return', '--command', `bash -e ${file}`, '/dev/null'], {
        cwd: clone,
        env: { ...env, TERM: 'xterm', SHELL: '/bin/sh', PATH: `${bin}:${env['PATH'] ?? ''}` },
        input: typed,
      });
      return { ...ran, stdout: ran.stdout.replaceAll('\r', '') };
    },
    fillIn() {
      cpSync(join(example, 'hosts'), join(clone, 'hosts'), { recursive: true });
      writeFileSync(join(clone, 'hosts/web1/disk/id'), `${disk.id}\n`);
      writeFileSync(join(clone, 'hosts/web1/provider'), `${seen(provider.url)}\n`);
      const steps = exampleSteps().join('\n').replaceAll('ata-EXAMPLE_S3R1ALN0', disk.id);
      const file = join(clone, 'fleet.yaml');
      const below = steps.replaceAll(/^(?=.)/gm, '    ');
      writeFileSync(file, readFileSync(file, 'utf8').replace('  web1:\n', `  web1:\n${below}\n`));
    },
  };
}

/** One more step of `web1`, after those that it has. */
export function addStep(file: string, lines: readonly string[]): void {
  const text = readFileSync(file, 'utf8');
  const steps = /^ {4}steps:.*\n(?: {6}.*\n)+/m;
  if (!steps.test(text)) throw new Error(`no steps in ${file}`);
  writeFileSync(
    file,
    text.replace(steps, (found) => found + lines.map((line) => `      ${line}\n`).join('')),
  );
}

/** What the README tells people to type, block by block. */
export function readmeBlocks(): readonly string[] {
  const text = readFileSync(join(example, 'README.md'), 'utf8');
  return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, commands = '']) => commands);
}

/** Puts what is a reader's own in place of the examples of a page; each must be there. */
export function fill(commands: string, own: Readonly<Record<string, string>>): string {
  return Object.entries(own).reduce((text, [example, real]) => {
    if (!text.includes(example)) throw new Error(`there is no ${example} in ${commands}`);
    return text.replaceAll(example, real);
  }, commands);
}
