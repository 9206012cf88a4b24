import { beforeEach } from 'vitest';
import type { Machine } from './machine.ts';

/** What the units of autark said on a machine last; why that cannot be known, where it is down. Never a failure. */
export async function journalOf(machine: Machine): Promise<string> {
  const units = ['autark.service', 'autark-*'].flatMap((each) => ['--unit', each]);
  const call = ['journalctl', '--output=short-precise', '--no-pager', '--lines=150', ...units];
  try {
    const { stdout, stderr } = await machine.run(call);
    return `journal of ${machine.name}:\n${stdout}${stderr}`;
  } catch (error) {
    return `journal of ${machine.name}: ${String(error)}`;
  }
}

/**
 * Prints the journals of machines when a test fails: afterwards they are gone.
 * @param machines asked for at that moment; one that was never made is `undefined`
 */
export function journalsOnFailure(machines: () => readonly (Machine | undefined)[]): void {
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => {
      for (const machine of machines()) if (machine !== undefined) console.error(await journalOf(machine));
    });
  });
}
