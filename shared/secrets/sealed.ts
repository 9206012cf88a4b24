import type { Fleet } from '../fleet/fleet.ts';
import type { Secret } from './secret.ts';

/** Where the sealed files lie, below the folder of `fleet.yaml`. */
export const sealedFolder = 'secrets';

/** What says which keys each sealed file is sealed to. */
export const lockPath = `${sealedFolder}/readers.lock`;

/** A file that a fleet's `fleet.yaml` asks for. */
export interface SealedFile {
  readonly path: string;
  readonly secret: string;
  /** Whose value it is, where each host has its own. */
  readonly host?: string;
  /** The keys that open it, without comments, sorted, each once: its hosts' and the readers' (S11). */
  readonly recipients: readonly string[];
}

/** @param host whose value it is, where each host has its own */
export function sealedPath(secret: string, host?: string): string {
  return host === undefined ? `${sealedFolder}/${secret}.age` : `${sealedFolder}/${host}/${secret}.age`;
}

/** Every sealed file that a fleet asks for, whether or not it is there, in the order of `fleet.yaml`. */
export function sealedFiles(fleet: Fleet): readonly SealedFile[] {
  return [...fleet.secrets.values()].flatMap((secret) =>
    secret.each
      ? secret.hosts.map((host) => fileOf(fleet, secret, [host], host))
      : [fileOf(fleet, secret, secret.hosts)],
  );
}

function fileOf(fleet: Fleet, { name }: Secret, hosts: readonly string[], host?: string): SealedFile {
  const keys = hosts.flatMap((each) => fleet.hosts.get(each)?.key ?? []);
  const recipients = [...new Set([...fleet.readers, ...keys].map(keyOf))].sort();
  return {
    path: sealedPath(name, host),
    secret: name,
    ...(host === undefined ? {} : { host }),
    recipients,
  };
}

/** A recipient without its comment: `ssh-ed25519 BASE64`, or `age1…`. */
export function keyOf(line: string): string {
  const words = line.split(' ');
  return words[0] === 'ssh-ed25519' ? words.slice(0, 2).join(' ') : (words[0] ?? '');
}
