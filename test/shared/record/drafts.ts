import type { Running } from '../../../shared/cycle/journal.ts';
import type { Draft } from '../../../shared/cycle/phase.ts';
import type { Failure } from '../../../shared/failure.ts';
import { type Circumstances, draftRecord, type Happening } from '../../../shared/record/draft.ts';
import { fullJournal } from '../../agent/adapters/journals.ts';

export const revision = '3c5e1a2b3c5e1a2b3c5e1a2b3c5e1a2b3c5e1a2b';

export const facts = {
  id: 'ab'.repeat(32),
  boot: '6d1c9f0e-0000-4000-8000-00000000000a',
  os: 'Debian GNU/Linux 12 (bookworm)',
  kernel: '6.1.0',
  cpu: 'A CPU',
  memory: 8_589_934_592,
  disks: [],
};

export const around: Circumstances = {
  journal: { ...fullJournal, rebootRequired: null, reports: [], drift: null },
  facts,
  version: '0.1.0',
  guarantees: [],
  now: Date.UTC(2026, 0, 2, 3, 4, 5),
  secrets: [],
  sealed: {},
  seconds: { build: 12, switch: 0.4 },
};

export const deployed: Happening = {
  event: 'deployed',
  revision: { id: revision, subject: 'Open port 443' },
  running: { ...usual(fullJournal.running ?? fail()), revision, generation: 42 },
};

/** What runs, and is what the machine boots. */
function usual({ testedIn, waitsIn, ...running }: Running): Running {
  return running;
}

export const failure: Failure = {
  kind: 'build-failed',
  cause: 'the build exited with code 3',
  where: 'hosts/web1/build',
  remedy: 'mend it and push',
};

export function draft(happening: Happening = deployed, more: Partial<Circumstances> = {}): Draft {
  return draftRecord(happening, { ...around, ...more });
}

function fail(): never {
  throw new Error('the full journal runs nothing');
}
