import { describe, expect, test } from 'vitest';
import { inTime } from '../../../agent/cli/doctor-bench.ts';
import { run } from '../../../agent/cli/run.ts';
import type { HostProbe } from '../../../agent/doctor-ports.ts';
import { well } from '../../../shared/doctor/checked.ts';
import { fail, ok } from '../../../shared/failure.ts';
import { pathsBelow } from '../../../shared/paths.ts';
import { stageWith } from './stage.ts';

const never = <Value>() => new Promise<Value>(() => undefined);
const calm = () => ({ signal: new AbortController().signal });

describe('one check', () => {
  test('that comes to an end is what it found', async () => {
    expect(await inTime('a', () => Promise.resolve([well('a', 'b')]), calm())).toEqual([well('a', 'b')]);
  });

  test('that hangs, or breaks off, is not known, and keeps nobody waiting', async () => {
    expect(await inTime('a', never, calm(), 20)).toMatchObject([{ rule: 'a', is: 'unknown' }]);
    const broken = () => Promise.reject(new Error('ouch'));
    expect(await inTime('a', broken, calm())).toMatchObject([
      { is: 'unknown', says: expect.stringContaining('ouch') as string },
    ]);
  });

  test('ends with an interrupt', async () => {
    const ending = new AbortController();
    const checked = inTime('a', never, ending);
    ending.abort('SIGINT');
    expect(await checked).toMatchObject([{ is: 'unknown', says: 'it was interrupted' }]);
    // Also with one that came before it began.
    expect(await inTime('a', never, ending)).toMatchObject([{ says: 'it was interrupted' }]);
  });
});

/** A host where each probe does what it is told, and is silent else. */
function hostWhere(probes: Partial<HostProbe>): HostProbe {
  return {
    paths: pathsBelow('/host'),
    settings: () =>
      Promise.resolve(ok({ host: 'web1', remote: '/r', branch: 'main', dir: '.', introduction: 'x' })),
    journal: () => Promise.resolve(ok(null)),
    user: () => Promise.resolve({ own: 0, owner: 0 }),
    key: () => Promise.resolve({ file: '/key', key: ok('ssh-ed25519 AAAA') }),
    objects: () => Promise.resolve([]),
    remote: never,
    serverClock: never,
    isSynchronised: never,
    space: never,
    persistence: never,
    machineId: never,
    units: never,
    daemon: never,
    nix: never,
    address: () => ({ server: null, transport: 'local' }),
    ...probes,
  };
}

async function call(argv: readonly string[], probe: HostProbe, signal: AbortSignal) {
  const roles = {
    hostProbe: () => Promise.resolve(probe),
    cloneProbe: () =>
      Promise.resolve(fail({ kind: 'unexpected', cause: 'no clone', remedy: 'make one' } as const)),
  };
  const { stage, said } = stageWith(roles, { signal });
  return { code: await run(argv, stage), out: () => said.out, note: () => said.note.trimEnd() };
}

test('an interrupted doctor says nothing, and exits as interrupted', async () => {
  // While all checks wait, and before the first of them listens.
  const whole = hostWhere({});
  for (const at of ['nix', 'settings'] as const) {
    const ending = new AbortController();
    const interrupts = (): Promise<never> => {
      ending.abort('SIGTERM');
      return (at === 'nix' ? whole.nix(ending.signal) : whole.settings()) as Promise<never>;
    };
    const { code, out } = await call(['doctor'], { ...whole, [at]: interrupts }, ending.signal);
    expect([code, out()]).toEqual([143, '']);
  }
});

test('without an agent.yaml the host is not looked at', async () => {
  const probe = hostWhere({ settings: () => Promise.resolve(ok(null)) });
  const { code, out, note } = await call(['doctor'], probe, new AbortController().signal);
  expect([code, out()]).toEqual([2, '']);
  expect(note()).toMatch(/no clone of a fleet: no clone .*; for a host .*; for a clone make one$/);
});
