import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatPublicKey } from '../../shared/trust/ssh-key.ts';
import { type Fleet, type FleetHost, keyAt, makeDeployed } from './fleet.ts';
import { must } from './run.ts';
import type { FileChange } from './world.ts';

/** Values are placed in memory alone, so a host with secrets lies there, with all of its world. */
export const inMemory = '/dev/shm/autark-secrets';

/** What the real program makes of a value: an armoured file that these keys open. */
export function sealWithAge(value: string | Uint8Array, keys: readonly string[]): Promise<string> {
  return must('age', ['--armor', ...keys.flatMap((key) => ['--recipient', key])], { input: value });
}

/** A fleet of one exec host that runs `hello`, with a hand for what lies sealed in its repository. */
export interface SecretFleet extends Fleet {
  readonly host: FleetHost;
  /** `TYPE BASE64` of the host and of the admin. */
  readonly keys: readonly [host: string, admin: string];
  /** `fleet.yaml` with these lines below `secrets:`, and each value sealed to host and admin. */
  files(
    lines: readonly string[],
    values: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, FileChange>> & { readonly 'fleet.yaml': string }>;
}

export async function makeSecretFleet(name = inMemory): Promise<SecretFleet> {
  const fleet = await makeDeployed(name);
  const own = keyAt(fleet.host.path('var/lib/autark/key'));
  const keys = [own, fleet.admin].map(({ publicBlob }) => formatPublicKey(publicBlob));
  const [host = '', admin = ''] = keys;
  return {
    ...fleet,
    keys: [host, admin],
    async files(lines, values) {
      const text = fleet.fleetYaml('web1');
      const sealed = await Promise.all(
        Object.entries(values).map(async ([secret, value]): Promise<[string, FileChange]> => [
          `secrets/${secret}.age`,
          await sealWithAge(value, keys),
        ]),
      );
      const section = lines.length === 0 ? '' : `\nsecrets:\n${lines.map((line) => `  ${line}\n`).join('')}`;
      return { ...Object.fromEntries(sealed), 'fleet.yaml': `${text}${section}` };
    },
  };
}

/** The values that a host shows, by name. */
export function shownBy(host: FleetHost): Readonly<Record<string, string>> {
  const folder = host.path('run/autark/secrets');
  if (!existsSync(folder)) return {};
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/** Whether anything is at a path, also a link that leads nowhere. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
