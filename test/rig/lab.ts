import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { type Fleet, makeFleet, type Status } from './fleet.ts';
import { installHook, lineFor } from './git-server-example.ts';
import type { MachineOptions } from './machine.ts';
import { approveMachine, makeMachineHost, type MachineHost } from './machine-host.ts';
import type { Need } from './needs.ts';
import { makeNetwork, type Network, type Plug } from './network.ts';
import { must } from './run.ts';
import { type SshServer, startSshServer } from './ssh-server.ts';

/**
 * A fleet of booted machines in a network of their own, whose Git server is behind sshd there, as `examples/git-server`
 * has it: each host may push its own branches and nothing else.
 */
export interface Lab {
  readonly fleet: Fleet;
  readonly url: string;
  readonly ssh: SshServer;
  readonly network: Network;
  /** A machine in it that is neither booted nor enrolled. */
  plugIn(name: string, options?: MachineOptions): LabHost;
  /** Boots a machine, enrols it over ssh, approves it with these options of `approve`, and starts its agent. */
  join(name: string, approval: readonly string[], options?: MachineOptions): Promise<LabHost>;
  /** One more machine with the disk of another, not booted yet. */
  copy(host: LabHost): LabHost;
  /** Puts a new repository with nothing in it where the fleet's was. */
  replaceRepository(): Promise<void>;
  remove(): Promise<void>;
}

export interface LabHost extends MachineHost {
  /** Waits until its newest record on the server is about this revision: the event of that record. */
  settles(revision: string): Promise<string>;
  /** The same, also where the record is one that it left this revision: what became of it. */
  decides(revision: string): Promise<Status['outcome']>;
  /** Its cable. */
  readonly plug: Plug;
}

export const labNeeds: readonly Need[] = ['nspawn', 'network', 'trixie', 'sshd', 'ssh-keygen'];

/** Where a host keeps the key that it shows its Git server. */
export const gitKey = '/var/lib/autark/git/id_ed25519';

/** Needs what `labNeeds` names; removed again when it cannot be made. */
export async function makeLab(name: string): Promise<Lab> {
  const fleet = await makeFleet(name);
  const network = await makeNetwork();
  const machines: LabHost[] = [];
  const remove = async (): Promise<void> => {
    for (const machine of machines) await machine.remove();
    await ssh?.stop();
    await network.remove();
    await fleet.world.remove();
  };
  let ssh: SshServer | undefined;
  try {
    ssh = await startSshServer(fleet.world.dir, { place: network });
  } catch (error) {
    await remove();
    throw error;
  }
  const server = ssh;
  installHook(fleet.world.remote);
  server.authorize(lineFor('alice', formatPublicKey(fleet.admin.publicBlob)));
  const url = server.url(fleet.world.remote);
  await moveClone(fleet, url, [...network.inside, ...sshWith(fleet, server)]);
  const make = (host: string, options: MachineOptions): LabHost => {
    const plug = network.plug(host);
    const made = makeMachineHost(fleet, host, { ...options, plug });
    const machine: LabHost = {
      ...{ ...made, plug },
      settles: (revision) => settlesOn(made, revision),
      decides: (revision) => decidesOn(made, revision),
    };
    machines.push(machine);
    return machine;
  };
  return {
    ...{ fleet, url, ssh: server, network, remove },
    plugIn: (host, options = {}) => make(host, options),
    async replaceRepository() {
      const { remote, env } = fleet.world;
      rmSync(remote, { recursive: true });
      await must('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote], { env });
      installHook(remote);
    },
    copy: (host) => make(host.name, { disk: { copyOf: host.image } }),
    async join(host, approval, options = {}) {
      const machine = make(host, options);
      await machine.boot();
      await machine.put('/etc/autark/known_hosts', server.knownHost());
      const there = ['--remote', url, '--host', host, '--introduction', fleet.introduction];
      // The server refuses it, for nobody has registered the key that this makes.
      await machine.autark(['enroll', '--no-service', ...there]);
      server.authorize(lineFor(host, await machine.must(['cat', `${gitKey}.pub`])));
      await approveMachine(fleet, host, await machine.autark(['enroll', '--no-service', ...there]), approval);
      // Far below a minute, so that nothing in a test waits for it.
      await machine.must(['sh', '-c', 'echo "interval: 1s" >>/etc/autark/agent.yaml && sync']);
      await machine.startDaemon();
      return machine;
    },
  };
}

/** Milliseconds until a host has done what it was given; seconds on a quiet machine. */
export const patience = { timeout: 120_000, interval: 100 };

function settlesOn(host: MachineHost, revision: string): Promise<string> {
  return vi.waitUntil(async () => {
    const { parents, status } = (await host.records()).at(-1) ?? {};
    return parents?.[1] === revision && status?.outcome.event;
  }, patience);
}

function decidesOn(host: MachineHost, revision: string): Promise<Status['outcome']> {
  return vi.waitUntil(async () => {
    const { parents, status } = (await host.records()).at(-1) ?? {};
    const isAbout = parents?.[1] === revision || status?.outcome.attempted === revision;
    return isAbout && status?.outcome;
  }, patience);
}

/** From now on the admin's clone reaches the repository over ssh only, from within the network. */
async function moveClone({ world }: Fleet, url: string, ssh: readonly string[]): Promise<void> {
  await world.git(['config', 'core.sshCommand', ssh.join(' ')]);
  await world.git(['remote', 'set-url', 'origin', url]);
}

function sshWith({ world }: Fleet, server: SshServer): string[] {
  const known = join(world.dir, 'known_hosts');
  writeFileSync(known, server.knownHost());
  const options = ['IdentitiesOnly=yes', 'BatchMode=yes', `UserKnownHostsFile=${known}`];
  return ['ssh', '-F', '/dev/null', '-i', world.adminKey, ...options.flatMap((each) => ['-o', each])];
}
