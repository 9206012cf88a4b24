import { chmod, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parseAgentSettings, withKey } from '../../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../../shared/fleet/fleet.ts';
import type { Paths } from '../../shared/paths.ts';
import type { Log, Settings } from '../ports.ts';
import { readIfThere, writeDurably } from './durable.ts';
import { isNixos } from './nixos.ts';

/**
 * `agent.yaml`: what it says is parsed again only when its text has changed.
 *
 * NixOS removes from /etc what a system does not declare, and so takes the settings away when it goes back to a system
 * before the module. There a copy of what root wrote on this machine is kept with the agent's state, and counts while
 * the file is missing. What a link leads to is not copied: that comes and goes with its system.
 */
export function fileSettings(
  { root, agentYaml: path, keptAgentYaml }: Pick<Paths, 'root' | 'agentYaml' | 'keptAgentYaml'>,
  log?: Log,
): Settings {
  const copy = isNixos(root) ? keptAgentYaml : null;
  let known: { text: string; from: string; settings: Result<AgentSettings> } | undefined;
  const take = async (text: string, from: string): Promise<Result<AgentSettings>> => {
    if (known?.text === text && known.from === from) return known.settings;
    const settings = parseAgentSettings(text, from);
    known = { text, from, settings };
    if (copy === null) return settings;
    if (from === copy) log?.({ kind: 'warning', host: '-', message: isUsed(path, copy) });
    else if (settings.ok) await keep(path, copy, text);
    return settings;
  };
  return {
    async load() {
      const found = await textOf(path, copy);
      if (!found.ok) return found;
      return found.value === null ? ok(null) : take(found.value.text, found.value.from);
    },
    async origin() {
      if (await isLink(path)) return 'link';
      const found = await textOf(path, copy);
      if (!found.ok || found.value === null) return 'file';
      return found.value.from === path ? 'file' : 'copy';
    },
    async write(text) {
      await mkdir(dirname(path), { recursive: true });
      // A URL in it may carry a password.
      const written = await writeDurably(path, new TextEncoder().encode(text), 0o600);
      if (!written.ok) return written;
      await chmod(path, 0o600);
      return ok(undefined);
    },
    async setKey(file) {
      // A file that replaces a link would be undone by whoever made the link, as NixOS does at its next activation.
      if (await isLink(path)) return fail(generated(path));
      const found = await textOf(path, copy);
      if (!found.ok) return found;
      const text = withKey(found.value?.text ?? '', file);
      return text.ok ? writeDurably(path, new TextEncoder().encode(text.value), 0o600) : text;
    },
  };
}

interface Found {
  readonly text: string;
  readonly from: string;
}

/** The copy only where there is no file at all: one that cannot be read, or a link to nothing, is not missing. */
async function textOf(path: string, copy: string | null): Promise<Result<Found | null>> {
  const bytes = await readIfThere(path);
  if (!bytes.ok) return bytes;
  if (bytes.value !== null) return ok({ text: new TextDecoder().decode(bytes.value), from: path });
  return copy === null ? ok(null) : textOf(copy, null);
}

/** Whoever may not write it, such as a person who only asks, need not: the agent does. */
async function keep(path: string, copy: string, text: string): Promise<void> {
  if (await isLink(path)) return;
  const before = await textOf(copy, null);
  if (before.ok && before.value?.text !== text) {
    await writeDurably(copy, new TextEncoder().encode(text), 0o600);
  }
}

function isLink(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
}

function isUsed(path: string, copy: string): string {
  return `${path} is gone: the copy of what was last written there is used, ${copy}`;
}

function generated(where: string): Failure {
  return {
    kind: 'held',
    cause: 'agent.yaml is a link to a file that something else writes',
    where,
    remedy: 'change it where it is made',
  };
}
