import type { Journal, Unproved } from '../../../shared/cycle/journal.ts';
import type { Draft, Phase } from '../../../shared/cycle/phase.ts';

/** Every key there, also those that may be absent: a key that the schema forgets fails to compile or to return. */
type Full<Value> = Value extends readonly (infer Item)[]
  ? readonly Full<Item>[]
  : Value extends object
    ? { readonly [Key in keyof Value]-?: Full<Value[Key]> }
    : Value;

const revision = '3c5e1a2b3c5e1a2b3c5e1a2b3c5e1a2b3c5e1a2b';
const commit = '0123456789abcdef0123456789abcdef01234567';
const child = { pid: 4242, started: 987654, boot: '6d1c9f0e-0000-4000-8000-000000000000' };
const system = { kind: 'exec', path: '/var/lib/autark/systems/7f', generation: 42, revision } as const;

const tried = { digest: 'cd'.repeat(32), path: '/var/lib/autark/systems/81', terms: 'ab'.repeat(32) };
const failed = { ...tried, revision, attempts: 3, code: 40, cause: 'it failed', at: 1_767_225_600_000 };

const draft: Full<Draft> = {
  subject: 'web1: deployed 3c5e1a2 "Open port 443" as generation 42',
  detail: ['built in 3 s', 'naïve ünïcode, "quotes" and \\ too'],
  at: 1_767_225_600_000,
  deploys: true,
  replaces: commit,
  sealed: { 'ledger.age': commit, 'backups/lvm-vg0.age': commit },
  status: {
    format: 1,
    fleet: '0f9c',
    host: 'web1',
    seq: 118,
    at: '2026-01-01T00:00:00Z',
    agent: { version: '0.1.0' },
    installation: '11223344556677889900aabbccddeeff',
    machine: {
      id: 'ab'.repeat(32),
      boot: child.boot,
      os: 'Debian GNU/Linux 12 (bookworm)',
      kernel: '6.1.0',
      cpu: 'A CPU',
      memory: 8_589_934_592,
      disks: [{ model: 'A DISK', size: 512_110_190_592 }],
    },
    accepted: revision,
    head: revision,
    system: { ...system, since: '2026-01-01T00:00:00Z', testing: true },
    outcome: {
      event: 'deployed',
      code: 0,
      attempted: revision,
      phase: 'switch',
      message: 'done',
      remedy: 'none',
      seconds: { build: 12.4 },
    },
    rebootRequired: false,
    next: '2026-01-02T00:00:00Z',
    guarantees: ['no systemd'],
    reports: ['state/web1 is gone from the server'],
    drift: ['var/lib/autark/current was changed by hand'],
    secrets: { 'db-password': 'ab'.repeat(32) },
    missingSecrets: ['tls-key'],
  },
};

const booted: Unproved['phase'] = {
  ...{ at: 'confirm', from: 41, to: 42, revision, mode: 'boot', exit: 0, timeout: 900_000 },
  ...{ waitsIn: child.boot, isRecorded: true },
};

/** One phase of each kind, with everything that it can carry. */
export const phases: readonly Phase[] = [
  { at: 'idle' },
  { at: 'build', revision, path: '/var/lib/autark/systems/7f', child },
  { at: 'switch', from: 41, to: 42, revision, attempt: 1, mode: 'switch', timeout: 900_000, child, tried },
  {
    ...{ at: 'switch', from: null, to: 1, revision, attempt: 0, mode: 'boot', timeout: 900_000 },
    before: '/nix/store/abc-nixos-system-web1',
  },
  {
    ...{ at: 'switch', from: 42, to: 41, revision, attempt: 0, mode: 'switch', timeout: 900_000 },
    left: commit,
  },
  { at: 'confirm', from: 41, to: 42, revision, mode: 'test', exit: 0 },
  { at: 'confirm', from: 42, to: 41, revision, mode: 'switch', exit: 0, left: commit },
  booted,
  {
    ...{ at: 'rollback', from: 41, attempted: revision, attempt: 0, mode: 'boot', timeout: 900_000 },
    ...{ failure: { kind: 'switch-failed', cause: 'it failed', remedy: 'mend it' }, waitsIn: child.boot },
  },
  { at: 'confirm', from: 41, to: 42, revision, mode: 'switch', exit: 4, tried },
  {
    at: 'rollback',
    from: 41,
    before: '/nix/store/abc-nixos-system-web1',
    attempted: revision,
    failure: {
      kind: 'switch-failed',
      cause: 'it failed',
      where: '/x',
      remedy: 'mend it',
      detail: 'line 1\nline 2',
    },
    attempt: 2,
    mode: 'switch',
    timeout: 900_000,
    child,
    left: commit,
    tried,
  },
  { at: 'record', draft },
  { at: 'record', draft, instead: { seq: 4, id: commit }, again: [{ seq: 5, id: revision }] },
];

const unproved: Full<Omit<Unproved, 'phase' | 'running'>> & Unproved = {
  phase: booted,
  running: { ...system, since: '2026-01-01T00:00:00Z', digest: 'ab'.repeat(32) },
  previous: 40,
  earlier: [38],
  rebootRequired: null,
};

const full: Full<Omit<Journal, 'phase' | 'unproved'>> = {
  format: 1,
  fleet: '0f9c',
  host: 'web1',
  installation: '11223344556677889900aabbccddeeff',
  genesis: commit,
  approved: true,
  key: 'ssh-ed25519 AAAA',
  replaced: revision,
  replaces: commit,
  follows: true,
  successor: { file: '/etc/autark/key', key: 'ssh-ed25519 BBBB', genesis: revision, isOffered: true },
  accepted: revision,
  acceptedUnder: '77a077a077a077a077a077a077a077a077a077a0',
  floors: [commit],
  seq: 117,
  tip: commit,
  delivered: commit,
  recordedAt: 1_767_225_600_000,
  reports: ['state/web1 is gone from the server'],
  diverged: { cause: 'another one', where: commit, goesOn: true },
  restoredAt: 1_767_225_600_000,
  running: {
    ...{ ...system, since: '2026-01-01T00:00:00Z', digest: 'cd'.repeat(32), inputs: 'ef'.repeat(20) },
    root: '/var/lib/autark/systems/80',
    agent: 'ac'.repeat(32),
    secrets: 'ad'.repeat(32),
    testedIn: child.boot,
    waitsIn: child.boot,
  },
  newest: 43,
  previous: 41,
  earlier: [38, 40],
  lastGood: 42,
  rebootRequired: child.boot,
  pace: {
    interval: 60_000,
    heartbeat: 86_400_000,
    fetch: 300_000,
    corrects: true,
    luksHeaders: true,
    keep: 5,
  },
  readers: ['ssh-ed25519 AAAA'],
  disks: { glance: 'ab'.repeat(32), at: 1_767_225_600_000, isFailed: true },
  unsettled: commit,
  standing: { head: revision, event: 'held', code: 10, cause: 'paused', under: '99'.repeat(32), until: 1 },
  trial: { head: commit, event: 'testing', code: 0, cause: '', under: '99'.repeat(32), until: 2 },
  failed,
  failedTrial: { ...failed, code: 50 },
  heldByHand: true,
  overtaken: commit,
  drift: { strays: [{ link: 'current', should: 'generations/42', leads: 'generations/41' }] },
  corrections: { head: revision, at: [1_767_225_600_000, 1_767_225_660_000] },
};

/** A journal with everything in it, between two cycles. */
export const fullJournal: Journal = { ...full, unproved, phase: { at: 'idle' } };
