import { join } from 'node:path';
import { afterAll } from 'vitest';
import { writeKey } from '../rig/world.ts';
import { forge, type Forged, header } from './forge.ts';
import { besiege, withstands } from './siege.ts';

const siege = await besiege('signatures');
afterAll(() => siege.lift());

const { ground, evil } = siege;
const { server, admin } = ground;
const key = (name: string) => writeKey(join(ground.dir, 'served', `${name}_key`), `${name}@example.org`);
const bob = await key('bob');
const mallory = await key('mallory');

/** A commit of evil that is good but for its signature. */
async function evilCommit(forged: Partial<Forged>): Promise<string> {
  const tree = await server.commit({ files: evil, ref: null });
  const id = await forge(server, { tree, parents: [siege.good()], ...forged });
  await siege.setMain(id);
  return id;
}

withstands(siege, 'unsigned', {
  cause: 'unsigned',
  attack: () => server.commit({ files: evil, key: null }),
});

withstands(siege, 'strangers-key', {
  cause: 'not an admin',
  attack: () => server.commit({ files: evil, key: mallory }),
});

withstands(siege, 'signed-above-unsigned', {
  cause: 'unsigned',
  async attack() {
    const below = await server.commit({ files: evil, key: null, ref: null });
    await server.commit({ parents: [below], subject: 'Looks good to me' });
    return below;
  },
});

withstands(siege, 'other-namespace', {
  cause: 'made for another purpose',
  attack: () => evilCommit({ key: admin, namespace: 'file' }),
});

withstands(siege, 'openpgp', {
  cause: 'OpenPGP',
  attack: () => evilCommit({ headers: [armoured('PGP SIGNATURE', 'iQEzBAABCAAdFiEE')] }),
});

withstands(siege, 'x509', {
  cause: 'X.509',
  attack: () => evilCommit({ headers: [armoured('SIGNED MESSAGE', 'MIIEZAYJKoZIhvcNAQcCoII')] }),
});

function armoured(label: string, base64: string): string {
  return header('gpgsig', `-----BEGIN ${label}-----\n\n${base64}\n-----END ${label}-----\n`);
}

withstands(siege, 'two-signatures', {
  cause: 'two signatures',
  async attack() {
    // Each signature covers the commit without any: both are good.
    const one = await evilCommit({ key: mallory });
    const content = await server.git(['cat-file', 'commit', one]);
    const [, strange = ''] = /^(gpgsig [^]*?-----END SSH SIGNATURE-----)$/m.exec(content) ?? [];
    const seconds = Number(/^committer .* (\d+) /m.exec(content)?.[1]);
    return evilCommit({ key: admin, seconds, unsigned: [strange] });
  },
});

withstands(siege, 'removed-admin', {
  cause: 'not an admin',
  async attack() {
    await bobComesAndGoes();
    return server.commit({ files: evil, key: bob });
  },
});

withstands(siege, 'backdated', {
  cause: 'not an admin',
  async attack() {
    await bobComesAndGoes();
    return evilCommit({ key: bob, seconds: 1_600_000_000 });
  },
});

withstands(siege, 'removed-admin-forks', {
  cause: 'below the floor',
  async attack() {
    const together = await bobComesAndGoes();
    return server.commit({ files: evil, parents: [together], key: bob });
  },
});

withstands(siege, 'removed-admin-merges', {
  cause: 'not an admin',
  async attack() {
    const together = await bobComesAndGoes();
    const fork = await server.commit({ files: evil, parents: [together], key: bob, ref: null });
    return server.commit({ parents: [siege.good(), fork], tree: fork, key: bob });
  },
});

/** There are two admins, and then one again, which the machine has seen; the revision with both. */
async function bobComesAndGoes(): Promise<string> {
  const together = await server.commit({ files: ground.admins([admin, bob]), ref: null });
  await siege.reaches(await server.commit({ files: ground.admins([admin]), parents: [together], ref: null }));
  return together;
}
