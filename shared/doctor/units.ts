import { advice, notWell, trouble, unknown, well, type Checked } from './checked.ts';

/** What systemctl(1) shows of a unit, by property. */
export type UnitProperties = ReadonlyMap<string, string>;

export type UnitFacts =
  /** This root is not the machine's own: units are about the machine. */
  | { readonly is: 'elsewhere' }
  /** systemd is not what runs this machine (sd_booted(3)). */
  | { readonly is: 'no-systemd' }
  | { readonly is: 'silent'; readonly why: string }
  | { readonly is: 'shown'; readonly properties: UnitProperties };

/** `KEY=VALUE` lines of `systemctl show`. */
export function parseUnit(text: string): UnitProperties {
  return new Map(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]),
  );
}

/** What of a unit is looked at. */
export const unitProperties = ['LoadState', 'UnitFileState', 'ActiveState', 'SubState', 'Result'] as const;

/** Whether the machine starts its agent by itself, and starts it again. */
export function checkUnits(facts: UnitFacts, unit: string): readonly Checked[] {
  switch (facts.is) {
    case 'elsewhere':
      return [well('units', 'a host below --root has no units: whoever started its agent starts it again')];
    case 'no-systemd':
      return [advice('units', withoutSystemd)];
    case 'silent':
      return [unknown('units', `systemctl does not answer: ${facts.why}`)];
    case 'shown':
      return [shown(facts.properties, unit)];
  }
}

const withoutSystemd = {
  cause: 'systemd does not run this machine: nothing here starts the agent at boot, or again when it ends',
  where: '/run/systemd/system',
  remedy:
    'let whatever starts services here run `autark agent`, with time to finish a switch when it is stopped',
};

/** States in which a unit file is started at boot, or by what needs it (systemctl(1), is-enabled). */
const started = /^(enabled|enabled-runtime|static|indirect|generated|alias|linked|linked-runtime|transient)$/;

function shown(of: UnitProperties, unit: string): Checked {
  const load = of.get('LoadState') ?? '';
  const file = of.get('UnitFileState') ?? '';
  const active = of.get('ActiveState') ?? '';
  if (load === 'not-found' || load === '')
    return notWell('units', trouble(`${unit} is not installed: after a reboot no agent runs`, unit, install));
  if (load !== 'loaded') {
    const see = load === 'masked' ? `systemctl unmask ${unit}` : `mend it: systemd-analyze verify ${unit}`;
    return notWell('units', trouble(`systemd does not load ${unit}: it is ${load}`, unit, see));
  }
  if (active === 'failed') {
    const result = of.get('Result') ?? 'unknown';
    const look = `look why with \`journalctl -u ${unit} -n 50\`, then \`systemctl restart ${unit}\``;
    return notWell('units', trouble(`${unit} failed (${result})`, unit, look));
  }
  if (!started.test(file)) {
    const state = file === '' ? 'not enabled' : file;
    return notWell(
      'units',
      trouble(
        `${unit} is ${state}: after a reboot no agent runs`,
        unit,
        `run \`systemctl enable --now ${unit}\``,
      ),
    );
  }
  if (active !== 'active' && active !== 'activating' && active !== 'reloading')
    return notWell('units', trouble(`${unit} is ${active}`, unit, `run \`systemctl start ${unit}\``));
  return well('units', `${unit} is ${file} and ${active}`);
}

const install =
  'write that unit (ExecStart=… autark agent, KillMode=mixed, Restart=always), and `systemctl enable --now` it';
