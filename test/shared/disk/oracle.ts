import type { DestroyEvidence } from '../../../shared/disk/evidence.ts';

/**
 * S15 to S18 read aloud, one sentence a line and no cleverness: whether a step that destroys may run. Written from the
 * rules; it shares nothing with the guard, and gives no reasons.
 */
export function holds(evidence: DestroyEvidence): boolean {
  return s15(evidence) && s16(evidence) && s17(evidence) && s18(evidence);
}

/** A step runs only with a ledger that is present, good and says that it has not run; a predecessor’s deeds count. */
function s15({ step, host, ledger, standing }: DestroyEvidence): boolean {
  if (standing !== 'clear' || step === null || step.isInherited !== false) return false;
  if (typeof ledger === 'string' || 'unreadable' in ledger) return false;
  if (ledger.runs === null || ledger.begun === null) return false;
  if (host.fleet === null || host.name === null || host.newest === null) return false;
  if (ledger.fleet !== host.fleet || ledger.host !== host.name || ledger.record !== host.newest) return false;
  return !ledger.runs.some((run) => run.step === step.name && run.outcome === 'done');
}

/** An approval, good for one run, for this machine, program and files, and for devices that are what they were. */
function s16({ step, host, ledger, approval, devices, intent, now }: DestroyEvidence): boolean {
  if (step === null || approval === null || devices === null || intent?.readAt == null || now === null)
    return false;
  if (host.key === null || host.genesis === null || host.genesisInstallation === null) return false;
  const used = typeof ledger === 'string' || 'unreadable' in ledger ? [] : (ledger.runs ?? []);
  if (used.some((run) => run.approval === approval.id)) return false;
  // What ran since it was given was not before the approver’s eyes.
  if (used.filter((run) => run.step === step.name).length !== approval.runs) return false;
  if (approval.id === '' || approval.by.trim() === '') return false;
  if (approval.key.split(' ')[1] !== host.key.split(' ')[1]) return false;
  if (host.installation === null || approval.installation !== host.installation) return false;
  if (step.program === null || approval.program !== step.program) return false;
  if (step.files === null || approval.files !== step.files) return false;
  const named = [...step.destroys].sort().join();
  if (step.destroys.length === 0 || new Set(step.destroys).size !== step.destroys.length) return false;
  if (
    named !==
    approval.devices
      .map(({ path }) => path)
      .sort()
      .join()
  )
    return false;
  if (
    named !==
    devices
      .map(({ path }) => path)
      .sort()
      .join()
  )
    return false;
  const numbers = new Set<string>();
  const serials = new Set<string>();
  for (const look of devices) {
    const seen = approval.devices.find(({ path }) => path === look.path);
    if (seen === undefined || 'failed' in look) return false;
    if (!look.path.startsWith('/dev/disk/by-id/') || look.path.endsWith('-part1')) return false;
    // Of the domains that evidence is drawn from, this one serial number is nobody’s.
    if (look.serial === null || look.serial === '00000000' || look.device === null) return false;
    if (look.serial !== seen.serial || look.size !== seen.size) return false;
    if (look.layout !== seen.layout || look.samples !== seen.samples) return false;
    if (look.uses === null || look.uses.length > 0 || look.isExclusive !== true) return false;
    // Random bytes may be encrypted, and are nobody's to give up.
    if (look.looks === null || look.looks === 'encrypted?' || look.found === null) return false;
    if (look.looks === 'blank' && look.found.length > 0) return false;
    if (look.at === null || !(look.at > intent.readAt && look.at <= now && now - look.at <= 120_000))
      return false;
    numbers.add(look.device);
    serials.add(look.serial);
  }
  return numbers.size === devices.length && serials.size === devices.length;
}

/** Metadata is backed up, and the intent committed and read back from the server. */
function s17({ step, host, approval, backups, intent }: DestroyEvidence): boolean {
  if (step === null || approval === null || backups === null || intent === null) return false;
  for (const { path, layout } of approval.devices) {
    const kept = backups.filter((each) => each.path === path);
    if (kept.length === 0 || kept.some((each) => each.layout !== layout || each.record === null))
      return false;
  }
  if (intent.approval !== approval.id || intent.program !== step.program) return false;
  return intent.after === host.newest && intent.commit !== null && intent.commit === intent.tip;
}

/** Intent without result means interrupted: not again by itself, that is, not under what it ran under. */
function s18({ step, ledger, approval }: DestroyEvidence): boolean {
  if (typeof ledger === 'string' || 'unreadable' in ledger) return false;
  const runs = (ledger.runs ?? []).filter((run) => run.step === step?.name);
  const last = runs[runs.length - 1];
  return last?.outcome !== 'started' || (approval !== null && last.approval !== approval.id);
}
