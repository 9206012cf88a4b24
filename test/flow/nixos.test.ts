import { afterAll, beforeAll, expect, test } from 'vitest';
import { newest } from '../rig/fleet.ts';
import { makeNixosFleet, nixosFiles, type NixosFleet } from '../rig/nix.ts';

let fleet: NixosFleet;
beforeAll(async () => {
  fleet = await makeNixosFleet();
});
afterAll(() => fleet.world.remove());

test('first', async () => {
  const { host, server } = fleet;
  const revision = await server.commit({ files: nixosFiles({ web1: { motd: 'one' } }) });
  const ran = await host.agent();
  expect(ran).toMatchObject({ code: 0 });
  const record = await newest(host);
  console.log(ran.stderr, record, host.profile(), host.activations(), host.state('systems'));
  expect(record.status.system?.revision).toBe(revision);
});
