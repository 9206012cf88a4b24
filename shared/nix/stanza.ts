import { withoutCredentials } from '../credentials.ts';
import { formatDuration } from '../fleet/duration.ts';
import type { AgentSettings } from '../fleet/fleet.ts';

/** What the module has by itself, so that a stanza need not say it. */
const defaults: Readonly<Record<string, string>> = { branch: 'main', dir: '.' };

/**
 * The same settings as Nix, for a machine's configuration. Passwords in addresses are left out: the configuration and
 * the store are for everybody to read.
 */
export function moduleStanza({ interval, ...others }: AgentSettings): string {
  const all = {
    ...others,
    remote: withoutCredentials(others.remote),
    ...(others.stateRemote === undefined ? {} : { stateRemote: withoutCredentials(others.stateRemote) }),
    ...(interval === undefined ? {} : { interval: formatDuration(interval) }),
  };
  const lines = Object.entries(all)
    .filter(([key, value]) => defaults[key] !== value)
    .map(([key, value]) => `  ${key} = ${nixText(value)};`);
  return ['services.autark = {', '  enable = true;', ...lines, '};'].join('\n');
}

/** Text in Nix: a backslash, a quote and `${` would mean something. Settings hold no control characters. */
function nixText(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&').replaceAll('${', '\\${')}"`;
}
