import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { hostOpener } from '../../agent/adapters/age/identities.ts';
import { ageSealer } from '../../agent/adapters/age/sealer.ts';
import { fileSecrets, type FileSecretsOptions } from '../../agent/adapters/secrets/store.ts';
import { createKey, loadSigner } from '../../agent/adapters/sign.ts';
import type { SecretStore } from '../../agent/secret-ports.ts';
import type { SealedSecret } from '../../shared/secrets/secret.ts';
import { valueOf } from '../agent/adapters/scratch.ts';

/** A host's root below a folder in memory, with a key of its own and users of its own. */
export interface SecretHost {
  readonly root: string;
  readonly key: string;
  /** What its key is sealed to. */
  readonly recipient: string;
  readonly options: FileSecretsOptions;
  readonly store: SecretStore;
  /** As the revision has it, sealed to this host. */
  secret(name: string, value: string, more?: Partial<SealedSecret>): Promise<SealedSecret>;
  /** Keeps and places these: the set's id. */
  place(secrets: readonly SealedSecret[]): Promise<string | null>;
  at(path: string): string;
  /** A value as a program of the host finds it. */
  read(name: string): string;
  /** What lies in the clear below `run`, sorted. */
  shown(): readonly string[];
}

export const declared = {
  ...{ owner: 'root', group: 'root', mode: 0o400 },
  ...{ restart: [], reload: [], early: false },
} as const;

const users = 'root:x:0:0::/root:/bin/sh\napp:x:4242:4242::/:/bin/false\n';
const groups = 'root:x:0:\napp:x:4242:\n';

/** A folder that does lie in memory, which the test's own need not. */
export function inMemory(): string {
  const folder = mkdtempSync('/dev/shm/autark-test-');
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export async function makeSecretHost(more: Partial<FileSecretsOptions> = {}): Promise<SecretHost> {
  const root = more.root ?? inMemory();
  const at = (path: string): string => join(root, path);
  mkdirSync(at('etc'), { recursive: true });
  writeFileSync(at('etc/passwd'), users);
  writeFileSync(at('etc/group'), groups);
  const key = at('var/lib/autark/key');
  valueOf(await createKey(key, 'host'));
  const recipient = valueOf(await loadSigner(key)).key;
  const sealer = ageSealer();
  const options: FileSecretsOptions = {
    ...{ root, state: at('var/lib/autark'), run: at('run/autark') },
    ...{ opener: valueOf(await hostOpener(key)), sealer },
    ...{ env: {}, hasSystemd: false, ...more },
  };
  const store = fileSecrets(options);
  return {
    ...{ root, key, recipient, options, store, at },
    async secret(name, value, placing = {}) {
      const sealed = Buffer.from(valueOf(await sealer.seal(Buffer.from(value), [recipient])));
      return { ...declared, name, file: `secrets/${name}.age`, sealed, ...placing };
    },
    async place(secrets) {
      const set = valueOf(await store.keep(secrets));
      valueOf(await store.place(set?.id ?? null));
      return set?.id ?? null;
    },
    read: (name) => readFileSync(at(`run/autark/secrets/${name}`), 'utf8'),
    shown: () => {
      const names = (folder: string): string[] => readdirSync(folder).sort();
      try {
        return names(join(at('run/autark'), readlinkSync(at('run/autark/secrets'))));
      } catch {
        return [];
      }
    },
  };
}
