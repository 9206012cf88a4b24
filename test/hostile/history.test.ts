import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeKey } from '../rig/world.ts';
import { type Attack, besiege, withstands } from './siege.ts';

const siege = await besiege('history');
afterAll(() => siege.lift());

const { ground, evil, front } = siege;
const { server, admin, introduction } = ground;
const key = (name: string) => writeKey(join(ground.dir, 'served', `${name}_key`), `${name}@example.org`);
/** The whole repository before anything below happened. */
const earlier = await front.snapshot();
const bob = await key('bob');
const mallory = await key('mallory');

withstands(siege, 'half-an-admin', {
  cause: 'not an admin',
  async attack() {
    const withBob = await server.commit({
      files: ground.admins([admin, bob]),
      parents: [siege.good()],
      ref: null,
    });
    const without = await server.commit({ files: evil, parents: [siege.good()], ref: null });
    return server.commit({ parents: [withBob, without], tree: without, key: bob });
  },
});

withstands(siege, 'before-the-introduction', {
  cause: 'merged from outside',
  async attack() {
    const before = await server.git(['rev-parse', `${introduction}^`]);
    const strange = await server.commit({ files: evil, parents: [before], ref: null });
    await server.commit({ parents: [siege.good(), strange], files: evil });
    return strange;
  },
});

withstands(siege, 'own-root', {
  cause: 'not from the introduction',
  attack: () => server.commit({ files: evil, parents: [], tree: siege.good() }),
});

const [listOfAdmins = ''] = Object.keys(ground.admins([]));

/** Nobody is granted anything by such a file, and so the admins before it remain the only ones. */
function badList(content: string | null): Attack {
  let without = '';
  return {
    cause: 'not an admin',
    async attack() {
      without = await server.commit({ files: { [listOfAdmins]: content }, ref: null });
      return server.commit({ files: evil, parents: [without], key: mallory });
    },
    async mend() {
      front.be({ kind: 'honest' });
      await siege.reaches(
        await server.commit({ files: ground.admins([admin]), parents: [without], ref: null }),
      );
    },
  };
}

withstands(siege, 'signers-emptied', badList(''));
withstands(siege, 'signers-deleted', badList(null));
withstands(siege, 'signers-garbled', badList(`\u0000\u0001 ssh-ed25519 AAAA\n${mallory.line}\n`));

withstands(siege, 'configuration-garbled', {
  cause: 'configuration unreadable',
  isAuthentic: true,
  attack: () => server.commit({ files: { ...evil, [ground.configuration]: 'hosts: [\n  }' } }),
});

withstands(siege, 'rollback', {
  cause: 'below the floor',
  async attack() {
    const older = await server.git(['rev-parse', `${siege.good()}^`]);
    await siege.setMain(older);
    return older;
  },
});

withstands(siege, 'force-push', {
  cause: 'below the floor',
  async attack() {
    const older = await server.git(['rev-parse', `${siege.good()}^`]);
    return server.commit({ files: evil, parents: [older] });
  },
});

withstands(siege, 'replay', {
  cause: 'below the floor',
  // It is a repository of its own, which takes the host's answer as well.
  heardIn: () => earlier,
  async attack() {
    front.be({ kind: 'shows', repository: earlier });
    return server.git(['-C', earlier, 'rev-parse', 'refs/heads/main']);
  },
});
