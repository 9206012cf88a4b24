/** Public keys for tests: the SSH wire form (RFC 4253, section 6.6) around 32 bytes that are all the same. */
export function publicKey(byte: number): string {
  const type = Buffer.from('ssh-ed25519');
  const length = (size: number) => Buffer.from([0, 0, 0, size]);
  const blob = Buffer.concat([length(type.length), type, length(32), Buffer.alloc(32, byte)]);
  return `ssh-ed25519 ${blob.toString('base64')}`;
}

export const fleetId = '0f9cba9876543210fedcba9876543210';
export const genesis = '4be1' + 'a'.repeat(36);
/** A recipient from the age specification's own examples: https://age-encryption.org/v1 */
export const recipient = 'age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj';

/** The file of the documentation, whole: every key is in it. */
export const everything = `version: 1
fleet: ${fleetId}                     # random, made by init; bound into every state commit
requires: 0.1
readers:                         # people and offline keys that can open everything
  - ${publicKey(1)} alice
  - ${recipient}
defaults:                        # any host key; a host's own value wins, lists replace
  interval: 60s
  heartbeat: 24h
  agent: { file: bin/autark.mjs }
  x-ours: anything
groups:
  web: { health: [ { http: http://127.0.0.1/healthz, timeout: 5s, retries: 3, soak: 30s } ] }
  empty:
hosts:
  web1:
    key: ${publicKey(2)} root@web1
    genesis: ${genesis}
    groups: [web]
    system: { kind: nixos, attr: web1, dir: . }   # attr defaults to the host's name
    activate: switch             # or boot
    health: [ { unit: nginx.service }, { command: hosts/web1/check } ]
    drift: report                # or correct
    timeouts: { fetch: 5m, build: 2h, switch: 15m }
    keep: 5                      # generations, besides current, previous and last good
    backups: { luksHeaders: true }
    heartbeat: never             # asleep when quiet, as a laptop is; not silent
    paused: { reason: "disk swap", until: 2027-01-05T08:00Z }
    done: [partition]
    steps:
      - name: format-disks
        run: hosts/web1/format
        files: [hosts/web1/layout.json]
        destroys: [/dev/disk/by-id/ata-X]
        credentials: [HETZNER_ROBOT_USER, HETZNER_ROBOT_PASS]
        timeout: 30m
        approved: { installation: abc, devices: [ { serial: S1 } ] }
  pi:
    key: ${publicKey(3)}
    genesis: 77a0${'b'.repeat(36)}
    system: { kind: exec, build: hosts/pi/build, inputs: [hosts/pi, common] }
  old1: { retired: true, key: ${publicKey(4)}, genesis: ${'c'.repeat(40)} }
  db1:
secrets:
  db-password:
    groups: [web]
    hosts: [db1]
    owner: postgres
    group: postgres
    mode: "0400"
    path: /etc/app/db-password
    restart: [postgresql.service]
    reload: []
    early: false
    each: false
x-notes: { anything: [goes, 1, true] }
`;

/** A file with these lines below its two obligatory ones: they begin at line 3. */
export function fleetYaml(...lines: readonly string[]): string {
  return ['version: 1', `fleet: ${fleetId}`, ...lines, ''].join('\n');
}

/** A generator of numbers in [0, 1) that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
