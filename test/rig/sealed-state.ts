import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ledger } from '../../shared/record/ledger.ts';
import { formatPublicKey, type PrivateKey } from '../../shared/trust/ssh-key.ts';
import { type Files, type Fleet, type FleetHost, keyAt, makeDeployed } from './fleet.ts';
import { forge } from './forged.ts';
import type { RanProgram } from './run.ts';
import { sealWithAge } from './secrets.ts';
import { writeKey } from './world.ts';

export const stateRef = 'refs/heads/state/web1';

/** A deployed host whose next records the test writes, with what `age` sealed in them. */
export interface SealedFleet extends Fleet {
  readonly host: FleetHost;
  /** The host's and the admin's, who is a reader. */
  readonly keys: readonly string[];
  /** A key of nobody in the fleet; beside the clone as `outsider`. */
  readonly outsider: PrivateKey;
  /** The record of its deployment, which it made itself. */
  readonly own: string;
  /** The one above it, 2, without anything sealed whatever disks this machine has; and the head that was deployed. */
  readonly first: string;
  readonly introduced: string;
  ledgerOf(change?: Partial<Ledger>): Ledger;
  /** Sealed to host and reader. */
  sealed(value: string | Uint8Array): Promise<string>;
  sealedLedger(change?: Partial<Ledger>): Promise<string>;
  /** The host's next record, signed by it, with these files in its tree. */
  record(files: Files): Promise<string>;
  /** In place of that, a record above the first with exactly these entries in its tree besides `status.json`. */
  recordOf(entries: readonly string[]): Promise<void>;
  autark(...args: string[]): Promise<RanProgram>;
  /** Everything as it was, also what the clone remembers. */
  reset(): Promise<void>;
}

export async function makeSealedFleet(): Promise<SealedFleet> {
  const fleet = await makeDeployed('autark-ledger');
  const { host, server, world } = fleet;
  const key = keyAt(host.path('var/lib/autark/key'));
  const keys = [key, fleet.admin].map(({ publicBlob }) => formatPublicKey(publicBlob));
  const own = await server.git(['rev-parse', stateRef]);
  const introduced = await server.head();
  const forget = () => rm(join(world.clone, '.git/autark/readers.json'), { force: true });
  const ledgerOf: SealedFleet['ledgerOf'] = (change = {}) => ({
    format: 1,
    fleet: /^fleet: (\S+)/m.exec(fleet.fleetYaml('web1'))?.[1] ?? '',
    host: 'web1',
    readers: [...keys].sort(),
    begun: { seq: 1, installation: 'a'.repeat(32) },
    disks: [disk],
    backups: {
      [`table-${'5d41'.repeat(4)}`]: {
        sha256: 'c'.repeat(64),
        taken: '2026-11-28T08:00:00Z',
        of: 'ata-\u001b[1mEVIL',
      },
    },
    ...change,
  });
  const sealed: SealedFleet['sealed'] = (value) => sealWithAge(value, keys);
  const record: SealedFleet['record'] = (files) => forge(server, host, { files });
  const recordOf = async (below: string, entries: readonly string[]): Promise<void> => {
    await server.git(['update-ref', stateRef, below]);
    const status = await server.git(['rev-parse', `${await record({})}:status.json`]);
    const lines = [...entries, `100644 blob ${status}\tstatus.json`];
    const tree = await server.git(['mktree'], lines.map((line) => `${line}\n`).join(''));
    const subject = (await server.git(['log', '-1', '--format=%B', stateRef])).trimEnd();
    await server.commit({ tree, parents: [below], key, subject, ref: stateRef });
    await forget();
  };
  await recordOf(own, []);
  const first = await server.git(['rev-parse', stateRef]);
  return {
    ...{ ...fleet, keys, own, first, introduced, ledgerOf, sealed, record },
    outsider: await writeKey(join(world.dir, 'outsider'), 'mallory@example.org'),
    sealedLedger: (change) => sealed(JSON.stringify(ledgerOf(change))),
    recordOf: (entries) => recordOf(first, entries),
    autark: (...args) => world.autark(args),
    async reset() {
      await server.git(['update-ref', stateRef, first]);
      await server.git(['update-ref', 'refs/heads/main', introduced]);
      await forget();
    },
  };
}

/** As a host may find it that somebody plugged an odd disk into. */
export const disk: Ledger['disks'][number] = {
  name: 'sda',
  ids: ['ata-EVIL_S5Y1', 'wwn-0x5'],
  model: '\u001b[2JEVIL\u202e\n disk\u009b',
  serial: 'S5Y1',
  size: 11_274_289_152,
  table: 'gpt',
  partitions: [
    {
      name: 'sda1',
      number: 1,
      start: 2 ** 20,
      size: 512 * 2 ** 20,
      type: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
      uuid: null,
    },
  ],
  signatures: [{ on: 'sda1', type: 'vfat', offset: 54, uuid: 'AB12-CD34', label: 'boot' }],
  uses: ['sda1 is mounted at /boot'],
};
