import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Diagnosis, diagnose } from '../rig/diagnosis.ts';
import { type Fleet, type FleetHost, makeDeployed } from '../rig/fleet.ts';
import { describeWith } from '../rig/needs.ts';

let fleet: Fleet & { readonly host: FleetHost };
let host: FleetHost;
beforeAll(async () => {
  fleet = await makeDeployed('autark-doctor');
  host = fleet.host;
});
afterAll(() => fleet.world.remove());

/** Looks at the host alone, from a folder that is no clone. */
const doctor = (before: readonly string[] = []): Promise<Diagnosis> =>
  diagnose(fleet.world, { cwd: fleet.world.dir, root: host.root, before });

/** Looks from a mount namespace of its own, in which a shell first mounts something. */
const mounting = (script: string): readonly string[] => [
  ...['unshare', '--mount', '--propagation', 'private', 'sh', '-euc', `${script}\nexec "$@"`, 'mounting'],
];

describeWith(['root'], 'where a host’s files lie', () => {
  const state = (): string => host.path('var/lib/autark');

  test('a state folder in memory is lost at the next reboot, a bind mount from a disk is not', async () => {
    expect((await doctor()).is('persistence')).toBe('well');
    const [all, etc] = [host.path('var'), host.path('etc')];
    const copied = `cp -a "${all}" "${all}.disk"; mount -t tmpfs none "${all}"; cp -a "${all}.disk/." "${all}"`;
    const inMemory = await doctor(mounting(`rm -rf "${all}.disk"; ${copied}`));
    expect(inMemory.findings.filter(({ rule }) => rule === 'persistence')).toMatchObject([
      { code: 1, where: state(), cause: expect.stringContaining(`tmpfs at ${all}`) as string },
      { where: `${state()}/key`, cause: expect.stringContaining('the host key is lost') as string },
    ]);
    // What lies in memory is empty here: the folder of the disk comes back on top of it.
    const bound = `mount -t tmpfs none "${all}"; mkdir -p "${state()}"; mount --bind "${all}.disk/lib/autark" "${state()}"`;
    expect((await doctor(mounting(bound))).is('persistence')).toBe('well');
    const settings = `cp -a "${etc}" "${etc}.copy"; mount -t ramfs none "${etc}"; cp -a "${etc}.copy/." "${etc}"; rm -r "${etc}.copy"`;
    expect((await doctor(mounting(settings))).of('persistence')).toMatchObject({
      where: `${etc}/autark/agent.yaml`,
      cause: expect.stringContaining('ramfs') as string,
    });
  });

  test('of an overlay the upper layer counts', async () => {
    const var_ = host.path('var');
    const layers = join(fleet.world.dir, 'layers');
    mkdirSync(layers, { recursive: true });
    const overlay = (memory: string): string =>
      `${memory} mkdir -p "${layers}/up" "${layers}/work"; ` +
      `mount -t overlay overlay -o "lowerdir=${var_},upperdir=${layers}/up,workdir=${layers}/work" "${var_}";`;
    const inMemory = await doctor(mounting(overlay(`mount -t tmpfs none "${layers}";`)));
    expect(inMemory.of('persistence')?.cause).toContain(
      `upper layer ${layers}/up lies on tmpfs at ${layers}`,
    );
    expect((await doctor(mounting(overlay('')))).is('persistence')).toBe('well');
  });

  test('a small disk is short, one without inodes as well: 52', async () => {
    const small = (options: string, more = ''): readonly string[] =>
      mounting(
        `cp -a "${state()}" "${state()}.full"; mount -t tmpfs -o ${options},mode=0700 none "${state()}"; ` +
          `cp -a "${state()}.full/." "${state()}"; rm -r "${state()}.full"; ${more}`,
      );
    const bytes = await doctor(small('size=20m'));
    expect(bytes.of('space')).toMatchObject({ code: 52, where: state() });
    const files = `for n in $(seq 1 1700); do true >"${state()}/f$n" || break; done 2>/dev/null`;
    const inodes = await doctor(small('size=200m,nr_inodes=1700', files));
    expect(inodes.of('space')).toMatchObject({
      code: 52,
      remedy: expect.stringContaining('df -i') as string,
    });
    expect((await doctor(small('size=200m'))).is('space')).toBe('well');
  });

  test('a folder that cannot be written to is told so', async () => {
    const readOnly = `mount --bind "${state()}" "${state()}"; mount -o remount,bind,ro "${state()}"`;
    expect((await doctor(mounting(readOnly))).of('persistence')).toMatchObject({
      where: state(),
      cause: expect.stringContaining('cannot be written to') as string,
    });
  });
});
