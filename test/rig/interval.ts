import { readFileSync, writeFileSync } from 'node:fs';
import type { FleetHost } from './fleet.ts';

/** Has the host's own `agent.yaml` say this interval, such as `1h`: then only something else can wake it sooner. */
export function setInterval(host: FleetHost, interval: string): void {
  const file = host.path('etc/autark/agent.yaml');
  const lines = readFileSync(file, 'utf8').split('\n');
  const others = lines.filter((line) => !line.startsWith('interval:') && line !== '');
  writeFileSync(file, [...others, `interval: ${interval}`, ''].join('\n'));
}
