import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failureOf, valueOf } from '../agent/adapters/scratch.ts';
import { bounds, gitRig } from './git-rig.ts';

describe('the own state branch', () => {
  test('is null until it is there, and again when it was deleted', async () => {
    const rig = gitRig();
    expect(valueOf(await rig.git.fetchState(bounds()))).toBeNull();
    for (const other of ['state/web10', 'state/web', 'state-old/web1', 'states/web1', 'state/x/web1'])
      rig.commit(other, other);
    expect(valueOf(await rig.git.fetchState(bounds()))).toBeNull();
    rig.at(['update-ref', '-d', 'refs/heads/state/x/web1']);
    const tip = rig.commit('state/web1', 'mine');
    expect(valueOf(await rig.git.fetchState(bounds()))).toEqual({ id: tip, isRefused: false });
    rig.at(['update-ref', '-d', 'refs/heads/state/web1']);
    expect(valueOf(await rig.git.fetchState(bounds()))).toBeNull();
  });

  test('may live in another repository', async () => {
    const rig = gitRig();
    const other = gitRig();
    const head = rig.commit('main', 'one');
    const tip = other.commit('state/web1', 'mine');
    const git = rig.open({ stateRemote: other.remote });
    expect(valueOf(await git.fetchState(bounds()))).toEqual({ id: tip, isRefused: false });
    expect(valueOf(await git.fetchHead(bounds()))).toBe(head);
    expect(
      failureOf(await rig.open({ stateRemote: join(rig.folder, 'none') }).fetchState(bounds())),
    ).toMatchObject({
      kind: 'unreachable',
      where: join(rig.folder, 'none'),
    });
  });
});
