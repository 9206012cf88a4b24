import type { Journal } from '../../shared/cycle/journal.ts';
import { notWell, unknown, well, type Checked } from '../../shared/doctor/checked.ts';
import { checkClock } from '../../shared/doctor/clock.ts';
import { checkKey } from '../../shared/doctor/host-key.ts';
import { checkDaemon, checkJournal, checkStanding, checkUser } from '../../shared/doctor/host-state.ts';
import { checkLoad } from '../../shared/doctor/load.ts';
import { checkMachineId, checkNix } from '../../shared/doctor/machine.ts';
import { checkPersistence } from '../../shared/doctor/persistence.ts';
import { checkRemote } from '../../shared/doctor/remote.ts';
import { checkSpace } from '../../shared/doctor/space.ts';
import { checkUnits } from '../../shared/doctor/units.ts';
import type { Result } from '../../shared/failure.ts';
import type { AgentSettings, Fleet } from '../../shared/fleet/fleet.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import { agentUnit } from '../../shared/nix/system.ts';
import { parseCommit } from '../../shared/objects/commit.ts';
import { rhythmsOf } from '../../shared/scale/load.ts';
import { version } from '../../shared/version.ts';
import type { HostProbe } from '../doctor-ports.ts';
import { inTime, type Bench } from './doctor-bench.ts';

/** Everything that is looked at on a host, all at once; what is said comes in this order. */
export async function checkHost(
  probe: HostProbe,
  settings: Result<AgentSettings | null>,
  bench: Bench,
): Promise<readonly Checked[]> {
  const { paths } = probe;
  const chosen = settings.ok ? settings.value : null;
  const journal = await probe.journal();
  const trusted = journal.ok ? journal.value : null;
  const known = knowledgeOf(probe, chosen, trusted);
  const look = (rule: string, work: () => Promise<readonly Checked[]>) => inTime(rule, work, bench);
  const checks = await Promise.all([
    look('agent.yaml', () => Promise.resolve([checkSettings(settings, paths.agentYaml)])),
    look('user', async () => checkUser(await probe.user(), paths.state)),
    look('host-key', () => hostKey(probe, chosen, known)),
    look('journal', () => Promise.resolve(checkJournal(journal, `${paths.state}/journal.json`))),
    look('persistence', () => persistence(probe, chosen)),
    look('space', async () => checkSpace(await probe.space(rooms(probe, chosen, await known)))),
    look('machine-id', async () => {
      const { text, where } = await probe.machineId();
      return checkMachineId(text, where);
    }),
    look('remote', () => remotes(probe, chosen, bench.signal)),
    look('clock', () => clock(probe, chosen, known, bench)),
    look('load', async () => load(probe, chosen, (await known).fleet)),
    look('units', async () =>
      isOver(trusted)
        ? [well('units', over)]
        : checkUnits(await probe.units(agentUnit, bench.signal), agentUnit),
    ),
    look('agent', async () =>
      isOver(trusted)
        ? [well('agent', over)]
        : checkDaemon(await probe.daemon(), trusted?.phase.at ?? null, `${paths.state}/daemon.lock`),
    ),
    look('nix', async () =>
      checkNix({ ...(await probe.nix(bench.signal)), isNeeded: needsNix(await known) }),
    ),
    look('state', () => Promise.resolve(trusted === null ? [] : checkStanding(trusted))),
  ]);
  return checks.flat();
}

/** A host that has retired made its last record, and its agent ended for good. */
function isOver(journal: Journal | null): boolean {
  return journal?.standing?.event === 'retired';
}

const over = 'this host is retired, and needs no agent any more';

/** What the agent's own Git directory says about this host, as far as it is there. */
interface Knowledge {
  readonly fleet: Fleet | null;
  readonly self: Fleet['hosts'] extends ReadonlyMap<string, infer One> ? One | null : never;
  readonly runs: 'nixos' | 'exec' | null;
  readonly signed: readonly Uint8Array[];
  /** Milliseconds since the epoch. */
  readonly committed: number | null;
}

async function knowledgeOf(
  probe: HostProbe,
  settings: AgentSettings | null,
  journal: Journal | null,
): Promise<Knowledge> {
  if (journal === null) return { fleet: null, self: null, runs: null, signed: [], committed: null };
  const { accepted, genesis, tip, host } = journal;
  const dir = settings === null || settings.dir === '.' ? '' : `${settings.dir}/`;
  const revision = accepted === null ? [] : [accepted, `${accepted}:${dir}fleet.yaml`];
  const [first, newest, commit = null, file = null] = await probe.objects([genesis, tip, ...revision]);
  const parsed = commit === null ? null : parseCommit(commit);
  const text = file === null ? null : Buffer.from(file).toString('utf8');
  const fleet = text === null ? null : parseFleet(text, { file: 'fleet.yaml', version });
  const valid = fleet?.ok === true ? fleet.value : null;
  return {
    fleet: valid,
    self: valid?.hosts.get(host) ?? null,
    runs: journal.running?.kind ?? null,
    signed: [first, newest].flatMap((bytes) => bytes ?? []),
    committed: parsed?.ok === true ? parsed.value.committer.seconds * 1000 : null,
  };
}

function needsNix({ self, runs }: Knowledge): boolean | null {
  const kind = self?.system?.kind ?? runs;
  return kind === null ? null : kind === 'nixos';
}

function checkSettings(settings: Result<AgentSettings | null>, path: string): Checked {
  if (!settings.ok) return notWell('agent.yaml', settings.failure);
  return well('agent.yaml', `${path} names the host ${settings.value?.host ?? ''}`);
}

const noSettings = 'agent.yaml is not valid, and says where';

async function hostKey(
  probe: HostProbe,
  settings: AgentSettings | null,
  known: Promise<Knowledge>,
): Promise<readonly Checked[]> {
  if (settings === null) return [unknown('host-key', noSettings)];
  const { signed, self } = await known;
  return checkKey({ ...(await probe.key(settings)), pinned: self?.key ?? null, signed });
}

async function persistence(probe: HostProbe, settings: AgentSettings | null): Promise<readonly Checked[]> {
  const { state, agentYaml } = probe.paths;
  const { file } = await probe.key(settings);
  return checkPersistence(
    await probe.persistence([
      { what: 'what the agent remembers', path: state, isWritten: true },
      { what: 'agent.yaml', path: agentYaml, isWritten: false },
      { what: 'the host key', path: file, isWritten: false },
    ]),
  );
}

/** Bytes: a fleet's history, its tree and records; a NixOS system and what builds it; a few links. */
const least = { state: 64 * 2 ** 20, store: 2 * 2 ** 30, profile: 2 ** 20 } as const;

function rooms(probe: HostProbe, settings: AgentSettings | null, known: Knowledge) {
  const { state, profile } = probe.paths;
  const own = [{ what: 'what the agent remembers and writes out', path: state, least: least.state }];
  if (needsNix(known) !== true) return own;
  return [
    ...own,
    { what: 'the Nix store', path: '/nix/store', least: least.store },
    { what: 'the system profile', path: settings?.profile ?? profile, least: least.profile },
  ];
}

async function remotes(
  probe: HostProbe,
  settings: AgentSettings | null,
  signal: AbortSignal,
): Promise<readonly Checked[]> {
  if (settings === null) return [unknown('remote', noSettings)];
  const { stateRemote } = settings;
  const names = ['remote', ...(stateRemote === undefined ? [] : ['stateRemote'])] as (
    'remote' | 'stateRemote'
  )[];
  const found = await Promise.all(
    names.map(async (name) => {
      const reached = await probe.remote(settings, name, signal);
      return checkRemote({ name, ...reached, branch: name === 'remote' ? settings.branch : null });
    }),
  );
  return found.flat();
}

async function clock(
  probe: HostProbe,
  settings: AgentSettings | null,
  known: Promise<Knowledge>,
  { now, signal }: Bench,
): Promise<readonly Checked[]> {
  const [server, isSynchronised, { committed }] = await Promise.all([
    settings === null ? null : probe.serverClock(settings, signal),
    probe.isSynchronised(signal),
    known,
  ]);
  return checkClock({ now: now(), server, committed, isSynchronised });
}

function load(probe: HostProbe, settings: AgentSettings | null, fleet: Fleet | null): readonly Checked[] {
  if (settings === null) return [unknown('load', noSettings)];
  if (fleet === null) return [unknown('load', 'how large the fleet is, no accepted revision says here')];
  const { remote, stateRemote = remote } = settings;
  return checkLoad(rhythmsOf(fleet.hosts.values()), probe.address(remote), probe.address(stateRemote));
}
