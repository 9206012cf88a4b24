import { oneLine } from '../../../shared/printable.ts';
import type { Ending } from '../../ports.ts';

/**
 * What a unit's `ExecStopPost=` leaves: `SERVICE_RESULT EXIT_CODE EXIT_STATUS BOOT` on one line, the first three as
 * systemd.exec(5) has them. Writes the whole file or none, and syncs it: a power cut must not leave an empty one.
 */
export const writeResult = [
  'echo "$SERVICE_RESULT $EXIT_CODE $EXIT_STATUS $(cat /proc/sys/kernel/random/boot_id)" >"$0.part"',
  'sync "$0.part"',
  'mv "$0.part" "$0"',
  'sync "${0%/*}"',
].join(' && ');

/** How the unit's program ended; `null` for a line of another boot, after which nothing may be assumed, or for none. */
export function endingOf(line: string, boot: string): Ending | null {
  const [result = '', code = '', status = '', when = ''] = line.trim().split(' ');
  if (boot === '' || when !== boot) return null;
  if (result === 'timeout') return { how: 'timeout' };
  if (code === 'exited' && /^\d{1,3}$/.test(status)) return { how: 'exited', code: Number(status) };
  if (code === 'killed' || code === 'dumped') return { how: 'signalled', signal: oneLine(`SIG${status}`) };
  return { how: 'unstartable', reason: oneLine(`systemd says ${result === '' ? 'nothing' : result}`) };
}
