import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ok, type Result } from '../../shared/failure.ts';
import { parseAgentSettings } from '../../shared/fleet/agent-yaml.ts';
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
  };
}
