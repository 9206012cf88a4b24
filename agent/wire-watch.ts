/** What a daemon watches on its machine, so that it need not wait for the interval. */
import type { AgentEvent } from '../shared/event.ts';
import type { AgentSettings } from '../shared/fleet/fleet.ts';
import type { Paths } from '../shared/paths.ts';
import { oneLine } from '../shared/printable.ts';
import type { Log } from './ports.ts';

export async function watchFiles(
  { agentYaml, hold }: Paths,
  log: Log,
  onChange: () => void,
): Promise<() => Promise<void>> {
  const { watchFile } = await import('./adapters/watch.ts');
  const tell = (message: string): void => {
    log(unwatched('-', message));
  };
  const watches = await Promise.all([agentYaml, hold].map((path) => watchFile(path, onChange, tell)));
  return async () => {
    await Promise.all(watches.map((watch) => watch.close()));
  };
}

export async function watchRemote(
  { remote, branch, host }: AgentSettings,
  log: Log,
  onChange: () => void,
): Promise<() => Promise<void>> {
  const watching = await import('./adapters/watch.ts');
  const watch = await watching.watchRemote(remote, branch, onChange, (message) => {
    log(unwatched(host, message));
  });
  return async () => watch?.close();
}

export async function watchLinks(
  { profile, currentSystem, current }: Paths,
  settings: AgentSettings,
  log: Log,
  onChange: () => void,
): Promise<() => Promise<void>> {
  const { watchLink } = await import('./adapters/watch.ts');
  const links = [settings.profile ?? profile, currentSystem, current];
  const watches = await Promise.all(
    links.map((link) =>
      watchLink(link, onChange, (message) => {
        log(unwatched(settings.host, message));
      }),
    ),
  );
  return async () => {
    await Promise.all(watches.filter((watch) => watch !== null).map((watch) => watch.close()));
  };
}

function unwatched(host: string, message: string): AgentEvent {
  const remedy = 'changes are found at the interval; if inotify is short, raise fs.inotify.max_user_watches';
  return { kind: 'warning', host, message: oneLine(`${message}; ${remedy}`) };
}
