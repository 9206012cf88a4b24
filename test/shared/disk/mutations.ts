import type { ApprovedDevice, StepApproval } from '../../../shared/disk/approval.ts';
import type {
  DeclaredStep,
  DestroyEvidence,
  Intent,
  KeptBackup,
  Observed,
  StepHost,
} from '../../../shared/disk/evidence.ts';
import { approval, digest, object, observed, otherKey, paths, ran, type Read } from './perfect.ts';

/** Makes evidence worse; `which` says of which device. What is gone already stays gone. */
export type Mutation = (evidence: DestroyEvidence, which: 0 | 1) => DestroyEvidence;

const onStep =
  (change: (step: DeclaredStep, which: 0 | 1) => Partial<DeclaredStep>): Mutation =>
  (evidence, which) =>
    evidence.step === null
      ? evidence
      : { ...evidence, step: { ...evidence.step, ...change(evidence.step, which) } };
const onHost =
  (changes: Partial<StepHost>): Mutation =>
  (evidence) => ({ ...evidence, host: { ...evidence.host, ...changes } });
const onLedger =
  (change: (ledger: Read) => Partial<Read>): Mutation =>
  (evidence) => {
    const { ledger } = evidence;
    return ledger === 'absent' || 'unreadable' in ledger
      ? evidence
      : { ...evidence, ledger: { ...ledger, ...change(ledger) } };
  };
const onApproval =
  (change: (approval: StepApproval, which: 0 | 1) => Partial<StepApproval>): Mutation =>
  (evidence, which) =>
    evidence.approval === null
      ? evidence
      : { ...evidence, approval: { ...evidence.approval, ...change(evidence.approval, which) } };
const onApproved = (changes: Partial<ApprovedDevice>): Mutation =>
  onApproval(({ devices }, which) => ({
    devices: devices.map((each) => (each.path === paths[which] ? { ...each, ...changes } : each)),
  }));
const onLook =
  (changes: Partial<Observed> | { readonly failed: string }): Mutation =>
  (evidence, which) => ({
    ...evidence,
    devices: (evidence.devices ?? []).map((each) =>
      each.path === paths[which] ? { ...each, ...changes } : each,
    ),
  });
const onBackup =
  (changes: Partial<KeptBackup>): Mutation =>
  (evidence, which) => ({
    ...evidence,
    backups: (evidence.backups ?? []).map((each) =>
      each.path === paths[which] ? { ...each, ...changes } : each,
    ),
  });
const onIntent =
  (changes: Partial<Intent>): Mutation =>
  (evidence) =>
    evidence.intent === null ? evidence : { ...evidence, intent: { ...evidence.intent, ...changes } };
const on =
  (changes: Partial<DestroyEvidence>): Mutation =>
  (evidence) => ({ ...evidence, ...changes });
const runs = (run: ReturnType<typeof ran>): Mutation =>
  onLedger(({ runs: before }) => ({ runs: [...(before ?? []), run] }));

/**
 * Things that go missing, are stale, or contradict the rest. No value is used in two places, so that no two mutations can
 * agree with each other and be good again.
 */
export const mutations: Readonly<Record<string, Mutation>> = {
  'no step': on({ step: null }),
  'program changed': onStep(() => ({ program: object('7') })),
  'program unknown': onStep(() => ({ program: null })),
  'files changed': onStep(() => ({ files: digest('7') })),
  'files unknown': onStep(() => ({ files: null })),
  'done by a predecessor': onStep(() => ({ isInherited: true })),
  'a predecessor unknown': onStep(() => ({ isInherited: null })),
  'one device more declared': onStep(({ destroys }) => ({ destroys: [...destroys, `${paths[0]}9`] })),
  'one device fewer declared': onStep(({ destroys }) => ({
    destroys: destroys.filter((path) => path !== paths[1]),
  })),
  'a device declared twice': onStep(({ destroys }) => ({ destroys: [...destroys, ...destroys.slice(0, 1)] })),
  'kernel names declared': onStep(() => ({ destroys: ['/dev/sda', '/dev/sdb'] })),
  'no device declared': onStep(() => ({ destroys: [] })),
  'fleet unknown': onHost({ fleet: null }),
  'host unknown': onHost({ name: null }),
  'key unknown': onHost({ key: null }),
  'another key pinned': onHost({ key: otherKey }),
  'genesis unknown': onHost({ genesis: null }),
  'genesis of nobody': onHost({ genesisInstallation: null }),
  'installed again': onHost({ installation: 'installation-8' }),
  'installation unknown': onHost({ installation: null }),
  'newest record unknown': onHost({ newest: null }),
  'a newer record': onHost({ newest: object('8') }),
  'ledger absent': on({ ledger: 'absent' }),
  'ledger unreadable': on({ ledger: { unreadable: 'no key opens it' } }),
  'another host’s ledger': onLedger(() => ({ host: 'web2' })),
  'another fleet’s ledger': onLedger(() => ({ fleet: 'feed'.repeat(8) })),
  'an older ledger': onLedger(() => ({ record: object('9') })),
  'a ledger of no record': onLedger(() => ({ record: null })),
  'a ledger without beginning': onLedger(() => ({ begun: null })),
  'a ledger without runs': onLedger(() => ({ runs: null })),
  'approval used and failed': runs(ran('failed', { approval: approval.id })),
  'approval used and interrupted': runs(ran('started', { approval: approval.id })),
  'approval used by another step': runs(ran('done', { step: 'other', approval: approval.id })),
  'step done before': runs(ran('done')),
  'no approval': on({ approval: null }),
  'approval for another key': onApproval(() => ({
    key: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'D'.repeat(43)}`,
  })),
  'approval for another installation': onApproval(() => ({ installation: 'installation-9' })),
  'approval for another program': onApproval(() => ({ program: object('a') })),
  'approval for other files': onApproval(() => ({ files: digest('8') })),
  'another approval': onApproval(() => ({ id: '9'.repeat(32) })),
  'approval without id': onApproval(() => ({ id: '' })),
  'approval from before a run': onApproval(({ runs }) => ({ runs: runs + 1 })),
  'approval by nobody': onApproval(() => ({ by: '' })),
  'approval without devices': onApproval(() => ({ devices: [] })),
  'approval of one device fewer': onApproval(({ devices }) => ({
    devices: devices.filter(({ path }) => path !== paths[0]),
  })),
  'approval of a device twice': onApproval(({ devices }) => ({ devices: [...devices, ...devices] })),
  'approved serial': onApproved({ serial: 'WX5Q2' }),
  'approved size': onApproved({ size: 4096 }),
  'approved layout': onApproved({ layout: digest('5') }),
  'approved samples': onApproved({ samples: digest('5') }),
  held: on({ standing: { is: 'held', cause: 'disk swap' } }),
  diverged: on({ standing: { is: 'diverged', cause: 'another machine' } }),
  'standing unknown': on({ standing: null }),
  'nothing observed': on({ devices: null }),
  'one device not observed': (evidence, which) => ({
    ...evidence,
    devices: (evidence.devices ?? []).filter(({ path }) => path !== paths[which]),
  }),
  'two answers about a device': (evidence) => ({
    ...evidence,
    devices: [...(evidence.devices ?? []), ...(evidence.devices ?? []).slice(0, 1)],
  }),
  'devices swapped': on({
    devices: [
      { ...observed(0), path: paths[1] },
      { ...observed(1), path: paths[0] },
    ],
  }),
  'look failed': onLook({ failed: 'read error' }),
  'another serial': onLook({ serial: 'WX7Q1' }),
  'no serial': onLook({ serial: null }),
  'serial of zeros': onLook({ serial: '00000000' }),
  'another size': onLook({ size: 8192 }),
  'no size': onLook({ size: null }),
  'another layout': onLook({ layout: digest('6') }),
  'no layout': onLook({ layout: null }),
  'other samples': onLook({ samples: digest('6') }),
  'no samples': onLook({ samples: null }),
  'in use': onLook({ uses: ['it is mounted at /'] }),
  'use unknown': onLook({ uses: null }),
  'not exclusive': onLook({ isExclusive: false }),
  'exclusive unknown': onLook({ isExclusive: null }),
  'looks unknown': onLook({ looks: null }),
  'looks random': onLook({ looks: 'encrypted?' }),
  'not swept': onLook({ found: null }),
  'another disk’s kernel number': (evidence) => ({
    ...evidence,
    devices: (evidence.devices ?? []).map((each) => ({ ...each, device: '8:0' })),
  }),
  'kernel number unknown': onLook({ device: null }),
  'seen before the intent': onLook({ at: 100 }),
  'seen at no time': onLook({ at: null }),
  'seen in the future': onLook({ at: 10 ** 15 }),
  'seen at what is no number': onLook({ at: Number.NaN }),
  'seen long ago': on({ now: 10 ** 12 }),
  'now unknown': on({ now: null }),
  'no backups': on({ backups: null }),
  'one backup missing': (evidence, which) => ({
    ...evidence,
    backups: (evidence.backups ?? []).filter(({ path }) => path !== paths[which]),
  }),
  'backup not recorded': onBackup({ record: null }),
  'backup of another layout': onBackup({ layout: digest('4') }),
  'no intent': on({ intent: null }),
  'intent not committed': onIntent({ commit: null }),
  'intent not read back': onIntent({ tip: null }),
  'server has something else': onIntent({ tip: object('b') }),
  'read back at no time': onIntent({ readAt: null }),
  'intent of another approval': onIntent({ approval: '8'.repeat(32) }),
  'intent of another program': onIntent({ program: object('c') }),
  'intent above another record': onIntent({ after: object('d') }),
};
