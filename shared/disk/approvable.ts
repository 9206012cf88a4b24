import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { Step } from '../fleet/fleet.ts';
import type { Ledger } from '../record/ledger.ts';
import type { ExaminedDevice } from '../record/step-run.ts';
import type { ApprovedDevice } from './approval.ts';
import { isStableName } from './device-name.ts';
import { eraseIt, perhapsEncrypted } from './device-rules.ts';
import { isTelling } from './serial.ts';

/**
 * The disks of a step as an approval binds them, from what the host reported last; or why no approval could let it run. The host
 * looks again before anything is destroyed: this only spares a person an approval that it would refuse.
 */
export function approvableDevices(
  { name, destroys }: Step,
  { host, examined = {}, runs = [] }: Ledger,
): Result<readonly ApprovedDevice[]> {
  if (runs.some(({ step, outcome }) => step === name && outcome === 'done')) return fail(isDone(host, name));
  const devices: ApprovedDevice[] = [];
  for (const path of destroys) {
    const device = approvable(path, host, Object.hasOwn(examined, path) ? examined[path] : undefined);
    if (!device.ok) return device;
    devices.push(device.value);
  }
  return ok(devices);
}

function approvable(
  path: string,
  host: string,
  examined: ExaminedDevice | undefined,
): Result<ApprovedDevice> {
  const say = (cause: string, remedy: string) =>
    fail<Failure>({ kind: 'step-refused', cause, where: path, remedy });
  if (!isStableName(path)) {
    return say(
      'a step destroys whole disks by their names below /dev/disk/by-id alone',
      'name the disk so, and push',
    );
  }
  if (examined === undefined) {
    const wait = `push the step, and wait until \`autark status ${host}\` says that it is held: then it has looked`;
    return say(`${host} has not reported this disk yet`, wait);
  }
  if ('failed' in examined) {
    return say(
      `${host} could not look at this disk: ${examined.failed}`,
      'mend that on the machine; it looks again by itself',
    );
  }
  const { disk, layout, samples, isExclusive, looks } = examined.seen;
  const { serial, size, uses } = disk;
  if (serial === null || !isTelling(serial)) {
    return say(
      `this disk has no serial number that tells it from others (${serial ?? 'none'})`,
      'give the disk of a virtual machine a serial number of its own (QEMU: serial=…), or format this one by hand',
    );
  }
  if (uses.length > 0 || !isExclusive) {
    const by = uses.length > 0 ? uses.join('; ') : 'something has it open';
    return say(
      `this disk is in use: ${by}`,
      `look whether it is the right disk; free it on the machine, and wait until ${host} has looked again`,
    );
  }
  if (looks === 'encrypted?') return say(perhapsEncrypted, eraseIt);
  return ok({ path, serial, size, layout, samples });
}

function isDone(host: string, step: string): Failure {
  return {
    kind: 'step-refused',
    cause: `${host} has done the step ${step}, and does not do it a second time`,
    where: `fleet.yaml, step ${step} of ${host}`,
    remedy: 'declare a step of another name for what is new',
  };
}
