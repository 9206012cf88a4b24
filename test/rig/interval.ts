import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { FleetHost } from './fleet.ts';

/** Has the host's own `agent.yaml` say this interval, such as `1h`: then only something else can wake it sooner. */
export function setInterval(host: FleetHost, interval: string): void {
  setSettings(host, { interval });
}

/** Has the host's own `agent.yaml` say these, written as JSON, and what else it said; `null` takes one out. */
export function setSettings(
  host: Pick<FleetHost, 'path'>,
  settings: Readonly<Record<string, string | null>>,
): void {
  const file = host.path('etc/autark/agent.yaml');
  const others = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !Object.hasOwn(settings, line.split(':')[0] ?? ''));
  const lines = Object.entries(settings).flatMap(([key, value]) =>
    value === null ? [] : [`${key}: ${JSON.stringify(value)}`],
  );
  replaceFile(file, [...others, ...lines, ''].join('\n'));
}

/** Whoever watches the file sees what it was, or what it is, and never the moment between. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
