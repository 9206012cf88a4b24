import type { ApprovedDevice, StepApproval } from '../../../shared/disk/approval.ts';
import type {
  DeclaredStep,
  DestroyEvidence,
  Intent,
  KeptBackup,
  LedgerState,
  Observed,
  Run,
  StepHost,
} from '../../../shared/disk/evidence.ts';
import { mayDestroy } from '../../../shared/disk/guard.ts';

export type Read = Exclude<LedgerState, string | { unreadable: string }>;

export const key = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'B'.repeat(43)}`;
export const otherKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'C'.repeat(43)}`;
export const paths = ['/dev/disk/by-id/ata-ACME_WX1', '/dev/disk/by-id/nvme-ACME_WX2'] as const;
export const digest = (digit: string): string => digit.repeat(64);
export const object = (digit: string): string => digit.repeat(40);

export const step: DeclaredStep = {
  name: 'format-disks',
  program: object('1'),
  files: digest('2'),
  destroys: paths,
  isInherited: false,
};

export const host: StepHost = {
  fleet: '0f9c'.repeat(8),
  name: 'web1',
  key: `${key} root@web1`,
  genesis: object('4'),
  genesisInstallation: 'installation-1',
  installation: 'installation-1',
  newest: object('5'),
};

export const ledger: Read = {
  fleet: host.fleet,
  host: 'web1',
  record: object('5'),
  begun: { seq: 1, installation: 'installation-1' },
  runs: [],
};

export const approved = (which: 0 | 1): ApprovedDevice => ({
  path: paths[which],
  serial: `WX1${which}A7`,
  size: 1_000_204_886_016 + which,
  layout: digest(which === 0 ? 'a' : 'b'),
  samples: digest(which === 0 ? 'c' : 'd'),
});

export const approval: StepApproval = {
  id: 'e'.repeat(32),
  key,
  installation: 'installation-1',
  program: object('1'),
  files: digest('2'),
  runs: 0,
  devices: [approved(0), approved(1)],
  by: 'alice',
  at: '2026-11-28T19:00:00Z',
};

export const observed = (which: 0 | 1): Observed => ({
  ...approved(which),
  device: `8:${which * 16}`,
  uses: [],
  isExclusive: true,
  looks: 'data',
  found: [],
  at: 1000 + which,
});

export const backup = (which: 0 | 1): KeptBackup => ({
  path: paths[which],
  layout: approved(which).layout,
  record: object('5'),
});

export const intent: Intent = {
  approval: approval.id,
  program: object('1'),
  after: object('5'),
  commit: object('6'),
  tip: object('6'),
  readAt: 900,
};

/** All that must be so for a step to destroy two disks. */
export const perfect: DestroyEvidence = {
  step,
  host,
  ledger,
  approval,
  standing: 'clear',
  devices: [observed(0), observed(1)],
  backups: [backup(0), backup(1)],
  intent,
  now: 2000,
};

/** A run of the step under an approval that is not the present one. */
export const ran = (outcome: Run['outcome'], changes: Partial<Run> = {}): Run => ({
  ...{ step: step.name, approval: 'f'.repeat(32), outcome, program: object('1') },
  ...changes,
});

export const withRuns = (...runs: readonly Run[]): { readonly ledger: Read } => ({
  ledger: { ...ledger, runs },
});

/** The rules and causes, as `RULE cause`, of perfect evidence that was changed. */
export function reasons(changes: Partial<DestroyEvidence>): readonly string[] {
  const verdict = mayDestroy({ ...perfect, ...changes });
  return verdict.may ? [] : verdict.reasons.map(({ rule, cause }) => `${rule} ${cause}`);
}

export const look = (changes: Partial<Observed>) => ({
  devices: [{ ...observed(0), ...changes }, observed(1)],
});
export const allow = (changes: Partial<StepApproval>) => ({ approval: { ...approval, ...changes } });
export const allowDisk = (changes: Partial<ApprovedDevice>) =>
  allow({ devices: [{ ...approved(0), ...changes }, approved(1)] });
