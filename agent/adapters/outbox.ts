import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fail, ok, type Failure } from '../../shared/failure.ts';
import type { Outbox, OutboxEntry } from '../ports.ts';
import { makeFolder, namesIn, readIfThere, removeDurably, writeDurably } from './durable.ts';
import { fileFailure } from './file-failure.ts';
import { writePack } from './git/pack.ts';

/** `SSSSSSSS-COMMIT.pack`: the sequence number has eight digits, and more once they do not suffice. */
const entryName = /^(\d{8,15})-([0-9a-f]{40})\.pack$/;

/**
 * `outbox/` in the state folder: signed state commits as Git packs, until the server's tip has been read
 * back (S9). Files that are not named like an entry are left alone. `list` and `drop` throw the
 * system's error: an outbox that cannot be read is not an empty one (P6).
 * @param state the agent's state folder, absolute
 */
export function fileOutbox(state: string): Outbox {
  const folder = join(state, 'outbox');
  const pathOf = (entry: OutboxEntry): string => join(folder, nameOf(entry));
  return {
    async add(entry, objects) {
      try {
        await makeFolder(folder, 0o700);
      } catch (error) {
        return fail(fileFailure(error, 'make the outbox', folder));
      }
      return writeDurably(pathOf(entry), writePack(objects), 0o600);
    },
    async list() {
      const entries = (await namesIn(folder)).map(parseName).filter((entry) => entry !== null);
      return entries.sort((a, b) => a.seq - b.seq || (a.id < b.id ? -1 : 1));
    },
    async pack(entry) {
      const bytes = await readIfThere(pathOf(entry));
      if (!bytes.ok) return bytes;
      if (bytes.value === null) return fail(unusable(pathOf(entry), 'is gone'));
      return isWhole(bytes.value) ? ok(bytes.value) : fail(unusable(pathOf(entry), 'is damaged'));
    },
    drop: (entry) => removeDurably(pathOf(entry)),
  };
}

function nameOf(entry: OutboxEntry): string {
  return `${String(entry.seq).padStart(8, '0')}-${entry.id}.pack`;
}

function parseName(name: string): OutboxEntry | null {
  const [, seq, id] = entryName.exec(name) ?? [];
  if (seq === undefined || id === undefined) return null;
  const entry = { seq: Number(seq), id };
  return nameOf(entry) === name ? entry : null;
}

/** A pack ends with the SHA-1 of all that precedes it (gitformat-pack(5)). */
function isWhole(pack: Uint8Array): boolean {
  const body = pack.subarray(0, -20);
  return createHash('sha1').update(body).digest().equals(pack.subarray(-20));
}

function unusable(where: string, what: string): Failure {
  return {
    kind: 'unexpected',
    cause: `a state record that waits for the server ${what}`,
    where,
    remedy: 'restore that file from a backup, or enrol this machine again (autark enroll)',
  };
}
