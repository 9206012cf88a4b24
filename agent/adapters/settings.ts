import { chmod, lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import { parseAgentSettings, withKey } from '../../shared/fleet/agent-yaml.ts';
import type { AgentSettings } from '../../shared/fleet/fleet.ts';
import type { Settings } from '../ports.ts';
import { readIfThere, writeDurably } from './durable.ts';

/** `agent.yaml`: what it says is parsed again only when its text has changed. */
export function fileSettings(path: string): Settings {
  let known: { text: string; settings: Result<AgentSettings> } | undefined;
  return {
    async load() {
      const bytes = await readIfThere(path);
      if (!bytes.ok) return bytes;
      if (bytes.value === null) return ok(null);
      const text = new TextDecoder().decode(bytes.value);
      if (known?.text !== text) known = { text, settings: parseAgentSettings(text, path) };
      return known.settings;
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
      const isLink = await lstat(path).then(
        (stats) => stats.isSymbolicLink(),
        () => false,
      );
      if (isLink) return fail(generated(path));
      const bytes = await readIfThere(path);
      if (!bytes.ok) return bytes;
      const text = withKey(new TextDecoder().decode(bytes.value ?? new Uint8Array()), file);
      return text.ok ? writeDurably(path, new TextEncoder().encode(text.value), 0o600) : text;
    },
  };
}

function generated(where: string): Failure {
  return {
    kind: 'held',
    cause: 'agent.yaml is a link to a file that something else writes',
    where,
    remedy: 'change it where it is made',
  };
}
