import type { ApprovedDevice } from './approval.ts';
import { approvedDevices } from './approval-rules.ts';
import { isStableName } from './device-name.ts';
import type { DestroyEvidence, Observation, Observed } from './evidence.ts';
import { isKnown, isList, isSame, isSha256, repeated } from './known.ts';
import { refusing, type Refusal } from './refusal.ts';
import { bareSerial, isTelling } from './serial.ts';

/**
 * How long ago a look at a device may have begun, in milliseconds. A sweep of several large disks takes some of it; what
 * comes after the look only decides.
 */
export const longestLook = 120_000;

/** Why the devices must not be written to; empty when each is the approved one, as it was, and nobody's (S16). */
export function deviceRefusals(evidence: DestroyEvidence): readonly Refusal[] {
  const { step, approval, devices } = evidence;
  if (step === null) return [];
  const say = refusing('S16');
  if (step.destroys.length === 0) return [say('the step declares no device that it destroys', declare)];
  const approved = approvedDevices(approval);
  const strangers = (devices ?? []).filter(({ path }) => !step.destroys.includes(path));
  return [
    ...repeated(step.destroys).map((path) =>
      refusing('S16', path)('the step names this device twice', 'name it once below `destroys`'),
    ),
    ...[...new Set(step.destroys)].flatMap((path) => [
      ...nameRefusals(path),
      ...lookRefusals(path, approved.get(path), evidence),
    ]),
    ...strangers.map(({ path }) => refusing('S16', path)('the step does not destroy this device', declare)),
    ...sameDisk((devices ?? []).filter(isObserved)),
  ];
}

const declare = 'name below `destroys` all devices that the step writes to, and approve it again';

function nameRefusals(path: string): readonly Refusal[] {
  if (isStableName(path)) return [];
  const remedy =
    'name the whole disk as `ls -l /dev/disk/by-id` shows it, not a partition, a volume or an array';
  return [refusing('S16', path)('this name may lead to another disk tomorrow', remedy)];
}

function lookRefusals(
  path: string,
  approved: ApprovedDevice | undefined,
  evidence: DestroyEvidence,
): readonly Refusal[] {
  const say = refusing('S16', path);
  const looks = (evidence.devices ?? []).filter((each) => each.path === path);
  const [look] = looks;
  if (look === undefined) return [say('nobody looked at this device', again)];
  if (looks.length > 1) return [say('there are two answers about this device', again)];
  if (!isObserved(look)) return [notLookedAt(look)];
  return [
    ...timeliness(look, evidence).map((cause) => say(cause, again)),
    ...identity(look, approved).map(([cause, remedy]) => say(cause, remedy)),
    ...freedom(look).map(([cause, remedy]) => say(cause, remedy)),
    ...(look.looks === 'encrypted?' ? [say(perhapsEncrypted, eraseIt)] : []),
    ...content(look, approved).map((cause) => say(cause, compare)),
  ];
}

/** A disk that is not there, or not readable: nobody can approve what nobody saw. */
export function notLookedAt({ path, failed }: Exclude<Observation, Observed>): Refusal {
  return refusing('S16', path)(`this device could not be looked at: ${failed}`, again);
}

const again = 'run `autark doctor` on the machine; the agent looks again in its next cycle';
const compare =
  'look at the disk on the machine: if it may still be destroyed, approve the step again; if not, something else is wrong';

export function isObserved(look: Observation): look is Observed {
  return !('failed' in look);
}

/** Begun once the intent was known to be on the server, and not long ago. What is not a number is neither. */
function timeliness({ at }: Observed, { intent, now }: DestroyEvidence): readonly string[] {
  const readAt = intent?.readAt ?? Number.NaN;
  if (at === null || now === null) return ['nobody knows when this device was looked at'];
  return [
    ...(at > readAt ? [] : ['this device was looked at before the intent was on the server, and not since']),
    ...(at <= now && now - at <= longestLook ? [] : ['it is too long ago that this device was looked at']),
  ];
}

function identity(
  look: Observed,
  approved: ApprovedDevice | undefined,
): readonly (readonly [string, string])[] {
  const { serial, size } = look;
  const found: [string, string][] = [];
  if (!isKnown(serial)) {
    found.push(['this disk has no serial number, so it cannot be told from another', giveSerial]);
  } else if (!isTelling(serial)) {
    found.push([`the serial number “${serial}” is none: other disks have it too`, giveSerial]);
  }
  if (!isKnown(look.device)) found.push(['nobody knows which disk this name leads to', again]);
  if (approved === undefined) {
    found.push(['this device is not approved', compare]);
    return found;
  }
  if (!isSame(serial, approved.serial)) {
    found.push([`this is another disk: serial ${shown(serial)}, approved was ${approved.serial}`, compare]);
  }
  if (!(typeof size === 'number' && size > 0 && size === approved.size)) {
    found.push([`its size is ${shown(size)}, approved were ${approved.size} bytes`, compare]);
  }
  return found;
}

const giveSerial =
  'give the disk of a virtual machine a serial number of its own (QEMU: serial=…), or format this one by hand';

function freedom({ uses, isExclusive }: Observed): readonly (readonly [string, string])[] {
  const found: [string, string][] = [];
  if (uses === null || !isList(uses)) found.push(['nobody knows whether this disk is in use', again]);
  else if (uses.length > 0) found.push([`this disk is in use: ${uses.join('; ')}`, freeIt]);
  if (isExclusive !== true) found.push(['this disk could not be opened for the step alone', freeIt]);
  return found;
}

const freeIt = 'unmount it, stop what uses it (swap, volumes, arrays), and look whether it is the right disk';

/** Random bytes have no signature that would say whose they are: no approval can know what it gives up. */
export const perhapsEncrypted = 'what is written on this disk looks random: it may be encrypted';

export const eraseIt =
  'no step destroys that: open it, or look whether it is the right disk; if nothing of it is needed, erase it by hand on the ' +
  'machine (`blkdiscard --zeroout`)';

function content(look: Observed, approved: ApprovedDevice | undefined): readonly string[] {
  const { layout, samples, looks, found } = look;
  const isWhole = isSha256(layout) && isSha256(samples) && isAppearance(looks) && isList(found);
  if (!isWhole) return ['not all of what is on this disk could be looked at'];
  return [
    // No signature does not mean that nothing is there; a signature does mean that something is.
    ...(looks === 'blank' && found?.length !== 0
      ? ['this disk looks blank, and yet something was found on it']
      : []),
    ...(approved !== undefined && layout !== approved.layout
      ? ['its partitions or signatures are not those that were approved']
      : []),
    ...(approved !== undefined && samples !== approved.samples
      ? ['what is written on it is not what was approved']
      : []),
  ];
}

function isAppearance(looks: unknown): boolean {
  return looks === 'blank' || looks === 'data' || looks === 'encrypted?';
}

/** Two names of one disk, and two disks that say they are the same one. */
function sameDisk(looks: readonly Observed[]): readonly Refusal[] {
  const twins = (value: (look: Observed) => string | null, cause: string): readonly Refusal[] => {
    const known = looks.map(value).filter((each) => each !== null && each !== '');
    return repeated(known.filter(isKnown)).map((shared) => {
      const paths = looks.filter((look) => value(look) === shared).map(({ path }) => path);
      const remedy = 'name each disk once, by one of its names, and approve the step again';
      return refusing('S16', paths.join(', '))(`${cause} (${shared})`, remedy);
    });
  };
  return [
    ...twins(({ device }) => device, 'these names lead to one disk'),
    ...twins(
      ({ serial }) => (serial === null ? null : bareSerial(serial)),
      'these disks have one serial number',
    ),
  ];
}

function shown(value: string | number | null): string {
  return value === null || value === '' ? 'not known' : String(value);
}
