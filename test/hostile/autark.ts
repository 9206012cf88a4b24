import { existsSync, mkdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { PrivateKey } from '../../shared/trust/ssh-key.ts';
import { execHost, buildScript } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeFleet } from '../rig/fleet.ts';
import { setSettings } from '../rig/interval.ts';
import { endAll } from '../rig/processes.ts';
import { must, run, type RanProgram } from '../rig/run.ts';
import { program, writeKey } from '../rig/world.ts';
import { startAutark } from './autark-daemon.ts';
import { says } from './autark-words.ts';
import type { Enrolled, Ground, Machine, Outcome, Subject } from './subject.ts';

/** The built program, by nothing but its command line and the files that docs/contract.md names. */
export const subject: Subject = {
  says,
  async found(name) {
    const fleet = await makeFleet(name, async (world) => {
      await world.git(['commit', '--quiet', '--allow-empty', '--message', 'Long before the fleet']);
      await world.git(['push', '--quiet', 'origin', 'HEAD:main']);
    });
    return groundOf(fleet);
  },
};

function groundOf(fleet: Fleet): Ground {
  const { world, server, admin, introduction } = fleet;
  const { dir, remote: repository } = world;
  const reader = join(dir, 'reader');
  const places = { home: join(dir, 'home'), temporary: join(dir, 'tmp') };
  for (const place of Object.values(places)) mkdirSync(place, { recursive: true });
  const from = async (remote: string, args: readonly string[]): Promise<Outcome> => {
    if (!existsSync(reader)) await must('git', ['clone', '--quiet', repository, reader], { env: world.env });
    await must('git', ['-C', reader, 'remote', 'set-url', 'origin', remote], { env: world.env });
    return outcomeOf(await run(process.execPath, [program, ...args], { cwd: reader, env: world.env }));
  };
  return {
    ...{ dir, repository, server, admin, introduction },
    aside: [repository, world.clone, reader, join(dir, 'server.index'), join(dir, 'served')],
    configuration: 'fleet.yaml',
    async withHost(name) {
      const text = await server.git(['show', 'main:fleet.yaml']);
      return { 'fleet.yaml': `${text.replace(/^hosts:\n/m, `hosts:\n  "${name}": {}\n`)}\n` };
    },
    admins: (keys) => ({ allowed_signers: keys.map(signerLine).join('') }),
    system: (host, text, also = '') => ({
      ...execHost(host, text),
      [`hosts/${host}/build`]: { executable: buildScript.replace('set -eu\n', `set -eu\n${also}\n`) },
    }),
    enrol: (name, remote, as = name) => enrol(fleet, places, { name, remote, as }),
    async copyOf(machine, as) {
      await cp(machine.root, world.root(as), { recursive: true, verbatimSymlinks: true });
      return machineOf(fleet, places, machine.name, fleet.at(as));
    },
    async pretender(machine, as) {
      const root = world.root(as);
      await cp(join(machine.root, 'etc/autark'), join(root, 'etc/autark'), { recursive: true });
      const key = join(root, 'key');
      await writeKey(key, 'laptop');
      setSettings(fleet.at(as), { key });
      return machineOf(fleet, places, machine.name, fleet.at(as));
    },
    async approve(name, fingerprint) {
      await world.git(['fetch', '--quiet', 'origin']);
      await world.git(['reset', '--quiet', '--hard', 'origin/main']);
      const system = ['--system', 'exec', '--build', `hosts/${name}/build`];
      const call = ['approve', name, '--fingerprint', fingerprint, ...system, '--yes', '--push'];
      return outcomeOf(await world.autark(call));
    },
    async look(remote) {
      const outcome = await from(remote, ['status']);
      // docs/contract.md: a sum, in which 8 stands for “not verified”, and 64 is no sum.
      return { ...outcome, doubts: ((outcome.code ?? 0) & 8) !== 0 };
    },
    audit: (remote) => from(remote, ['verify', '--json']),
    async remove() {
      endAll(dir);
      await world.remove();
    },
  };
}

interface Places {
  readonly home: string;
  readonly temporary: string;
}

async function enrol(
  fleet: Fleet,
  places: Places,
  { name, remote, as }: { readonly name: string; readonly remote: string; readonly as: string },
): Promise<Enrolled> {
  const { world, server, introduction } = fleet;
  const waiting = async (): Promise<readonly string[]> =>
    (await server.git(['for-each-ref', '--format=%(refname)', `refs/heads/enroll/${name}`])).split('\n');
  const before = await waiting();
  const call = ['enroll', '--root', world.root(as), '--remote', remote, `--host=${name}`];
  const ran = await world.autark([...call, '--introduction', introduction]);
  const machine = machineOf(fleet, places, name, fleet.at(as));
  if (ran.code === 0) setSettings(machineSettings(machine), { interval: '3s' });
  const waitsAt = (await waiting()).find((ref) => !before.includes(ref)) ?? '';
  return { ...outcomeOf(ran), machine, fingerprint: ran.stdout.split('\n')[0] ?? '', waitsAt };
}

function machineSettings({ root }: Pick<Machine, 'root'>): Pick<FleetHost, 'path'> {
  return { path: (...parts) => join(root, ...parts) };
}

function machineOf({ world }: Fleet, places: Places, name: string, host: FleetHost): Machine {
  const env = { ...world.env, HOME: places.home, TMPDIR: places.temporary };
  const { root, path } = host;
  const stateRef = `refs/heads/state/${name}`;
  const autark = (...args: readonly string[]): Promise<RanProgram> =>
    run(process.execPath, [program, ...args, '--root', root], { cwd: places.home, env });
  const at = (repository: string) => (args: readonly string[]) =>
    must('git', ['-C', repository, ...args], { env: world.env });
  return {
    ...{ name, root, stateRef },
    own: [path('etc/autark'), path('var/lib/autark'), path('run/autark')],
    activated: [path('etc/motd'), path('activations')],
    memory: {
      journal: path('var/lib/autark/journal.json'),
      folder: path('var/lib/autark'),
      git: path('var/lib/autark/git/fleet.git'),
      key: path('var/lib/autark/key'),
    },
    setRemote(url) {
      setSettings(host, { remote: url });
    },
    once: async () => outcomeOf(await autark('agent', '--once')),
    start: () => startAutark({ ...world, env }, host, places.home),
    resume: async () => outcomeOf(await autark('enroll', '--resume')),
    running: () => ({ system: host.motd(), activations: host.activations() }),
    async published(repository) {
      const git = at(repository);
      if ((await git(['for-each-ref', stateRef])) === '') return '';
      return [
        await git(['log', '-1', '--format=%H%n%B', stateRef]),
        await git(['show', `${stateRef}:status.json`]),
      ].join('\n');
    },
    async checkPublished(repository) {
      const format = '--format=%H %P,%(trailers:key=Autark-Seq,valueonly,separator=)';
      const lines = (await at(repository)(['log', '--first-parent', '--reverse', format, stateRef])).split(
        '\n',
      );
      const records = lines.map((line) => line.split(/[ ,]/));
      expect(records.map((fields) => Number(fields.at(-1)))).toEqual([...records.keys()]);
      const parents = records.slice(1).map(([, parent]) => parent);
      expect(parents).toEqual(records.slice(0, -1).map(([id]) => id));
    },
  };
}

function outcomeOf({ code, stdout, stderr }: RanProgram): Outcome {
  return { code, output: stdout + stderr };
}

function signerLine(key: PrivateKey): string {
  return `somebody@example.org ${key.line}\n`;
}
