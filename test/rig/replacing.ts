import { readFileSync } from 'node:fs';
import type { Files, Fleet, FleetHost } from './fleet.ts';

/** What `fleet.yaml` pins for a machine. */
export interface Pin {
  readonly key: string;
  readonly genesis: string;
}

/** What a machine that has enrolled would have pinned. */
export function pinOf(host: Pick<FleetHost, 'path' | 'journal'>): Pin {
  const { genesis } = JSON.parse(host.journal()) as { genesis: string };
  return { key: publicKeyAt(host.path('var/lib/autark/key')), genesis };
}

/** `TYPE BASE64` beside a private key. */
export function publicKeyAt(file: string): string {
  return readFileSync(`${file}.pub`, 'utf8').trim().split(' ').slice(0, 2).join(' ');
}

/** Pins a machine in place of the one that a host is, as `approve --replace` does; the revision. */
export async function pin(
  { server }: Pick<Fleet, 'server'>,
  name: string,
  { key, genesis }: Pin,
  files: Files = {},
): Promise<string> {
  const yaml = await server.git(['show', 'main:fleet.yaml']);
  const entry = new RegExp(`^( {2}${name}:\\n(?: {4}.*\\n)*? {4}key: ).*\\n {4}genesis: .*$`, 'm');
  if (!entry.test(yaml)) throw new Error(`${name} is not pinned in ${yaml}`);
  const changed = yaml.replace(entry, `$1${key}\n    genesis: ${genesis}`);
  return server.commit({ files: { ...files, 'fleet.yaml': `${changed}\n` }, subject: `Replace ${name}` });
}
