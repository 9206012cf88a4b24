import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { bootId, isAlive, processStart } from '../../agent/adapters/proc.ts';
import { endAllOf } from '../../agent/adapters/strays.ts';
import { cgroupsOf, removeCgroup } from '../rig/cgroup.ts';
import { describeWith } from '../rig/needs.ts';
import { patience } from '../rig/patience.ts';

/** No user of this machine. */
const builder = { uid: 64_103, gid: 64_103 };

interface Sleeper {
  isGone(): boolean;
  /** Ends it, and waits for that. */
  end(): Promise<void>;
}

/** A process of the builder's number, in these control groups besides those of whoever calls. */
async function sleeper(cgroups: readonly string[] = []): Promise<Sleeper> {
  const script = 'for each in "$@"; do echo $$ >"$each/cgroup.procs" || exit; done; exec sleep 1000';
  // It joins while it is root, and is the builder from then on, as whoever runs in a container.
  const drop = `exec setpriv --reuid=${builder.uid} --regid=${builder.gid} --clear-groups`;
  const call = ['-c', script.replace('exec', drop), 'sleeper', ...cgroups];
  const child = spawn('/bin/sh', call, { stdio: 'ignore', detached: true });
  const over = new Promise((resolve) => child.on('close', resolve));
  const pid = child.pid ?? 0;
  await vi.waitUntil(() => /^Uid:\t64103\t/m.test(readFileSync(`/proc/${pid}/status`, 'utf8')), patience);
  await vi.waitUntil(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'), patience);
  const started = processStart(pid) ?? 0;
  return {
    isGone: () => !isAlive({ pid, started, boot: bootId() }),
    async end() {
      child.kill('SIGKILL');
      await over;
    },
  };
}

/** A control group of a test's own, as that of a container is one. */
function otherGroup(): readonly string[] {
  const cgroups = cgroupsOf(`autark-test-${randomBytes(6).toString('hex')}`);
  for (const cgroup of cgroups) mkdirSync(cgroup);
  return cgroups;
}

describeWith(['root'], 'what still runs of a build', () => {
  test('is ended, and a process with the same user number in another control group is not', async () => {
    const cgroups = otherGroup();
    const [own, others] = [await sleeper(), await sleeper(cgroups)];
    onTestFinished(async () => {
      await own.end();
      await others.end();
      for (const cgroup of cgroups) removeCgroup(cgroup);
    });
    expect([own.isGone(), others.isGone()]).toEqual([false, false]);
    expect(await endAllOf(builder)).toBe(true);
    expect([own.isGone(), others.isGone()]).toEqual([true, false]);
  });
});
