import { access, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ok } from '../../shared/failure.ts';
import type { Paths } from '../../shared/paths.ts';
import type { HostKeys } from '../ports.ts';
import { createKey, loadSigner, publicKeyOf } from './sign.ts';

/** The host's own keys, where formats.md says they lie. */
export function fileHostKeys({ hostKey, ownKey, gitKey, knownHosts }: Paths): HostKeys {
  return {
    async standard() {
      if (await isThere(hostKey)) return hostKey;
      return (await isThere(ownKey)) ? ownKey : null;
    },
    async make(comment) {
      const made = await createKey(ownKey, comment);
      return made.ok ? ok(ownKey) : made;
    },
    async at(file, comment) {
      const made = (await isThere(file)) ? ok(undefined) : await createKey(file, comment);
      return made.ok ? loadSigner(file) : made;
    },
    signer: loadSigner,
    async transport(comment) {
      // Whoever has a new server is told to write its key there.
      await mkdir(dirname(knownHosts), { recursive: true });
      const made = (await isThere(gitKey)) ? ok(undefined) : await createKey(gitKey, comment);
      const publicKey = made.ok ? await publicKeyOf(gitKey) : made;
      return publicKey.ok ? ok({ file: gitKey, publicKey: publicKey.value }) : publicKey;
    },
  };
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
