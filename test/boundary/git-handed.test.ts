import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { handedAccess, handOver } from '../../agent/adapters/git/handed.ts';
import { valueOf } from '../agent/adapters/scratch.ts';
import { describeWith } from '../rig/needs.ts';

const account = { uid: 64_101, gid: 64_101 };

function rig() {
  const folder = mkdtempSync(join(tmpdir(), 'autark-handed-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('etc'));
  writeFileSync(at('etc/key'), 'private', { mode: 0o600 });
  writeFileSync(at('etc/known'), 'a ssh-ed25519 A', { mode: 0o600 });
  writeFileSync(at('etc/more'), 'b ssh-ed25519 B\n');
  const access = { gitKey: at('etc/key'), knownHosts: [at('etc/known'), at('etc/none'), at('etc/more')] };
  return { at, access, handed: at('handed') };
}

beforeEach(() => {
  // As that of the agent's unit.
  const before = process.umask(0o077);
  onTestFinished(() => {
    process.umask(before);
  });
});

describeWith(['root'], 'what ssh is handed when it runs as the user of git', () => {
  test('are copies that this user may read, and nobody but root write', () => {
    const { access, handed } = rig();
    valueOf(handOver(access, handed, account));
    const { gitKey = '', knownHosts } = handedAccess(access, handed);
    expect(readFileSync(gitKey, 'utf8')).toBe('private');
    expect(readFileSync(knownHosts[0] ?? '', 'utf8')).toBe('a ssh-ed25519 A\nb ssh-ed25519 B\n');
    for (const [path, mode] of [
      [handed, 0o750],
      [gitKey, 0o640],
      [knownHosts[0] ?? '', 0o640],
    ] as const) {
      const stat = statSync(path);
      expect({ uid: stat.uid, gid: stat.gid, mode: stat.mode & 0o777 }, path).toEqual({
        uid: 0,
        gid: 64_101,
        mode,
      });
    }
  });

  test('follow the originals: another key, a certificate, and no key any more', () => {
    const { at, access, handed } = rig();
    valueOf(handOver(access, handed, account));
    writeFileSync(at('etc/key'), 'another');
    writeFileSync(at('etc/key-cert.pub'), 'certificate');
    valueOf(handOver(access, handed, account));
    expect(readFileSync(join(handed, 'key'), 'utf8')).toBe('another');
    expect(readFileSync(join(handed, 'key-cert.pub'), 'utf8')).toBe('certificate');
    valueOf(handOver({ knownHosts: access.knownHosts }, handed, account));
    expect(readdirSync(handed)).toEqual(['known_hosts']);
  });

  test('are left alone while the originals are as they were (P9)', () => {
    const { access, handed } = rig();
    valueOf(handOver(access, handed, account));
    const before = readdirSync(handed).map((name) => statSync(join(handed, name), { bigint: true }).ctimeNs);
    valueOf(handOver(access, handed, account));
    const after = readdirSync(handed).map((name) => statSync(join(handed, name), { bigint: true }).ctimeNs);
    expect(after).toEqual(before);
  });
});
