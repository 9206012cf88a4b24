import { existsSync, readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import type { StepApproval } from '../../shared/disk/approval.ts';
import { filesDigest, type StepFile } from '../../shared/disk/step-files.ts';
import type { Ledger } from '../../shared/record/ledger.ts';
import { realRuns } from '../../shared/record/ledger-runs.ts';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { type Fleet, type FleetHost, keyAt, newest } from './fleet.ts';
import { must } from './run.ts';

/** A step's program that says that it ran, and then does this; below `AUTARK_ROOT`, which is the test's own. */
export function stepProgram(does = ''): { readonly executable: string } {
  return { executable: `#!/bin/sh\nset -eu\necho "$AUTARK_STEP" >>"$AUTARK_ROOT/ran"\n${does}\n` };
}

/** The steps that ran on a host, each time that they did. */
export function stepsRun(host: FleetHost): readonly string[] {
  const file = host.path('ran');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** The ledger of a host's newest record, as the age program opens it with the host's key. */
export async function ledgerOf({ server }: Pick<Fleet, 'server'>, host: FleetHost): Promise<Ledger> {
  const blob = await server.git(['cat-file', 'blob', `refs/heads/state/${host.name}:ledger.age`]);
  const key = host.path('var/lib/autark/key');
  return JSON.parse(await must('age', ['--decrypt', '--identity', key], { input: `${blob}\n` })) as Ledger;
}

/** An approval of a step, as a person gives it who saw what the host reported last. */
export async function approvalOf(
  fleet: Pick<Fleet, 'server'>,
  host: FleetHost,
  step: { readonly name: string; readonly run: string; readonly files?: readonly string[] },
  devices: readonly string[] = [],
): Promise<StepApproval> {
  const { git } = fleet.server;
  const item = async (path: string) => {
    const [mode = '', , id = ''] = (await git(['ls-tree', 'refs/heads/main', path])).split(/\s/);
    return { path, mode: mode.replace(/^0/, '') as StepFile['mode'], id };
  };
  const ledger = await ledgerOf(fleet, host);
  return {
    id: randomBytes(16).toString('hex'),
    key: formatPublicKey(keyAt(host.path('var/lib/autark/key')).publicBlob),
    installation: (await newest(host)).status.installation,
    program: (await item(step.run)).id,
    files: filesDigest(await Promise.all((step.files ?? []).map(item))),
    runs: realRuns(ledger).filter((run) => run.step === step.name).length,
    devices: devices.map((path) => {
      const device = ledger.examined?.[path];
      if (device === undefined || !('seen' in device)) throw new Error(`${path} was not examined`);
      const { disk, layout, samples } = device.seen;
      return { path, serial: disk.serial ?? '', size: disk.size, layout, samples };
    }),
    by: 'alice',
    at: '2026-11-29T00:00:00Z',
  };
}
