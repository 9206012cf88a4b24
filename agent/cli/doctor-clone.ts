import { notWell, trouble, unknown, type Checked } from '../../shared/doctor/checked.ts';
import {
  checkAdmins,
  checkFleetFile,
  checkGit,
  checkHead,
  checkHook,
  checkHosts,
  checkIntroduction,
  checkSigning,
} from '../../shared/doctor/clone.ts';
import { checkLoad } from '../../shared/doctor/load.ts';
import { checkRemote } from '../../shared/doctor/remote.ts';
import { ok, type Result } from '../../shared/failure.ts';
import type { HostView } from '../../shared/fleet-view/host-state.ts';
import { parseFleet } from '../../shared/fleet/parse.ts';
import { rhythmsOf } from '../../shared/scale/load.ts';
import { version } from '../../shared/version.ts';
import type { Clone } from '../clone-ports.ts';
import type { CloneProbe } from '../doctor-ports.ts';
import { fleetRefs, readFleet, type Snapshot } from '../fleet/read.ts';
import { distances, hostViews } from '../fleet/status.ts';
import { inTime, type Bench } from './doctor-bench.ts';

/** The files that make a repository a fleet's, at the checked-out commit; `null` for what is not there. */
interface Files {
  readonly fleet: string | null;
  readonly signers: string | null;
}

/** Whether a repository is a clone of a fleet, and not just any around the current directory. */
export async function isOfFleet({ clone }: CloneProbe): Promise<boolean> {
  if (clone.introduction !== null) return true;
  const { fleet, signers } = await filesOf(clone);
  return fleet !== null || signers !== null;
}

/** Everything that is looked at in a clone, all at once; what is said comes in this order. */
export async function checkClone(probe: CloneProbe, bench: Bench): Promise<readonly Checked[]> {
  const { clone, config } = probe;
  const files = filesOf(clone);
  const fleetFile = files.then(({ fleet }) =>
    fleet === null ? null : parseFleet(fleet, { file: 'fleet.yaml', version }),
  );
  const seen = lastSeen(clone);
  const look = (rule: string, work: () => Promise<readonly Checked[]>) => inTime(rule, work, bench);
  const checks = await Promise.all([
    look('git', async () => checkGit(await probe.gitVersion(bench.signal))),
    look('remote', () => remote(probe, bench)),
    look('signing', () => Promise.resolve(checkSigning(config))),
    look('allowed_signers', async () => checkAdmins((await files).signers, await probe.key())),
    look('hook', async () => checkHook(await probe.hook())),
    look('introduction', () => Promise.resolve(checkIntroduction(clone.introduction))),
    look('fleet.yaml', async () => checkFleetFile(await fleetFile)),
    look('head', async () => checkHead(await seen)),
    look('hosts', async () => checkHosts(await viewsOf(clone, await seen, bench.now()))),
    look('load', async () => {
      const fleet = await fleetFile;
      if (fleet?.ok !== true) return [unknown('load', 'how large the fleet is, fleet.yaml does not say')];
      if (probe.addresses === null) return [unknown('load', 'this clone has no remote')];
      const { fetched, pushed } = probe.addresses;
      return checkLoad(rhythmsOf(fleet.value.hosts.values()), fetched, pushed);
    }),
  ]);
  return checks.flat();
}

async function filesOf(clone: Clone): Promise<Files> {
  if (clone.head === null) return { fleet: null, signers: null };
  const names = ['fleet.yaml', 'allowed_signers'].map((file) => `${clone.head ?? ''}:${file}`);
  const read = await clone.read(names);
  const [fleet = null, signers = null] = names.map((name) => {
    const object = read.ok ? read.value.get(name) : undefined;
    return object?.type === 'blob' ? Buffer.from(object.bytes).toString('utf8') : null;
  });
  return { fleet, signers };
}

async function remote(probe: CloneProbe, { signal }: Bench): Promise<readonly Checked[]> {
  const reached = await probe.remote(signal);
  const { remote: named } = probe.clone;
  if (reached === null || named === null) {
    const remedy = 'run `git remote add origin URL`, and push';
    return [notWell('remote', trouble('this clone has no remote', probe.clone.root, remedy))];
  }
  return checkRemote({ name: named.name, ...reached, branch: named.branch });
}

/** As the clone last fetched it; and what a reader would remember of it is not remembered, for nothing was asked. */
async function lastSeen(clone: Clone): Promise<Result<Snapshot>> {
  const refs = await fleetRefs(clone);
  if (!refs.ok) return refs;
  const memory: Clone['memory'] = { load: () => clone.memory.load(), save: () => Promise.resolve() };
  return readFleet({ ...clone, memory }, refs.value);
}

async function viewsOf(
  clone: Clone,
  snapshot: Result<Snapshot>,
  now: number,
): Promise<Result<readonly HostView[]>> {
  if (!snapshot.ok) return snapshot;
  const behind = await distances(clone, snapshot.value);
  return ok(hostViews(snapshot.value, behind, now));
}
