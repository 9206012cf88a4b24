import { access } from 'node:fs/promises';
import { ok } from '../../shared/failure.ts';
import type { Paths } from '../../shared/paths.ts';
import type { HostKeys } from '../ports.ts';
import { createKey } from './sign.ts';

/** The host's own keys, where formats.md says they lie. */
export function fileHostKeys({ hostKey, ownKey }: Paths): HostKeys {
  return {
    async standard() {
      if (await isThere(hostKey)) return hostKey;
      return (await isThere(ownKey)) ? ownKey : null;
    },
    async make(comment) {
      const made = await createKey(ownKey, comment);
      return made.ok ? ok(ownKey) : made;
    },
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
