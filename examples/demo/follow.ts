import type { Stage } from './stage.ts';

interface HostLine {
  readonly host: string;
  readonly state: string;
}

/** How long a fleet of three may take for one change, in milliseconds; far more than it needs. */
const patience = 60_000;

/**
 * Shows `autark status` whenever it changes, until every host is as expected. Ages are left out of the comparison:
 * they change by themselves.
 */
export async function followUntil(
  { world, print }: Stage,
  isReached: (host: HostLine) => boolean,
): Promise<void> {
  const deadline = performance.now() + patience;
  let before = '';
  for (;;) {
    const json = await world.autark(['status', '--json']);
    const hosts = hostsIn(json.stdout);
    const states = hosts.map(({ host, state }) => `${host} ${state}`).join('\n');
    if (states !== before) print((await world.autark(['status', '--offline'])).stdout.trimEnd());
    before = states;
    if (hosts.length > 0 && hosts.every(isReached)) return;
    if (performance.now() > deadline)
      throw new Error(`the fleet did not get there:\n${states}\n${json.stderr}`);
  }
}

function hostsIn(json: string): HostLine[] {
  const value: unknown = JSON.parse(json === '' ? '{}' : json);
  const hosts = (value as { hosts?: HostLine[] }).hosts;
  return hosts ?? [];
}
