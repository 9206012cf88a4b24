import { readFileSync, writeFileSync } from 'node:fs';
import type { FleetHost } from './fleet.ts';

const anotherBoot = '00000000-0000-4000-8000-000000000000';

/**
 * As if a host below a root had been booted anew since its last cycle: what its journal remembers of this boot
 * (random(4), `boot_id`) becomes another one. Nothing of it may run.
 */
export function reboots(host: FleetHost): void {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  const file = host.path('var/lib/autark/journal.json');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(boot, anotherBoot));
}
