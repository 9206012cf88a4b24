import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execHost } from '../../test/rig/exec-system.ts';
import { followUntil } from './follow.ts';
import { onlyOnce } from './once.ts';
import type { Stage } from './stage.ts';

const hosts = ['db1', 'web1', 'web2'] as const;

/** The demo, told in the order in which a team would live it. */
export async function story(stage: Stage): Promise<void> {
  await makeFleet(stage);
  await enrolMachines(stage);
  await firstDeployment(stage);
  await brokenChange(stage);
  await revert(stage);
  await diary(stage);
  await onlyOnce(stage);
  if (stage.isKept) howToGoOn(stage);
}

async function makeFleet({ world, say, show, print }: Stage): Promise<void> {
  say('A bare Git repository, and an admin’s clone of it. This makes the fleet:');
  show('autark init --push');
  const introduction = await world.mustAutark(['init', '--key', world.adminKey, '--push']);
  print(`${introduction}   (the introduction: all trust starts here)`);
}

async function enrolMachines({ world, say, show, print }: Stage): Promise<void> {
  say('Three machines make themselves known; the admin compares fingerprints and approves them.');
  const introduction = await world.git(['rev-parse', 'HEAD']);
  for (const host of hosts) {
    const root = world.root(host);
    const given = ['--remote', world.remote, '--host', host, '--introduction', introduction];
    show(`autark enroll --remote fleet.git --host ${host} --introduction ${introduction.slice(0, 7)}…`);
    const [print_ = ''] = (
      await world.mustAutark(['enroll', '--root', root, ...given, '--no-service'])
    ).split('\n');
    show(`autark approve ${host} --fingerprint ${print_.slice(0, 16)}… --build hosts/${host}/build --push`);
    const approval = ['--fingerprint', print_, '--system', 'exec', '--build', `hosts/${host}/build`];
    await world.mustAutark(['approve', host, ...approval, '--yes', '--push']);
  }
  print('Each machine’s key and first state commit are pinned in fleet.yaml now.');
}

async function firstDeployment(stage: Stage): Promise<void> {
  const { world, disk, say, show } = stage;
  await disk.attach(world.root('web1'));
  say('What each machine shall be is pushed. Their agents take it from there:');
  show('git commit -m "Greet from every machine" && git push');
  const files = hosts.map((host) => execHost(host, `Welcome to ${host}`));
  await world.commit(Object.assign({}, ...files) as ReturnType<typeof execHost>, 'Greet from every machine');
  await Promise.all(hosts.map(stage.startAgent));
  show('autark status --watch');
  await followUntil(stage, (host) => host.state === 'converged');
}

async function brokenChange(stage: Stage): Promise<void> {
  const { world, say, show, print } = stage;
  say('A broken change: db1 does not build any more, and web1’s new system cannot be activated.');
  show('git commit -m "Break two machines" && git push');
  await world.commit(
    {
      'hosts/db1/build': { executable: '#!/bin/sh\necho "no such package: postgresql-99" >&2\nexit 3\n' },
      'hosts/web1/build': { executable: brokenActivation },
      'hosts/web2/motd': 'Welcome to web2, again\n',
    },
    'Break two machines',
  );
  await followUntil(stage, ({ host, state }) => state === (host === 'web2' ? 'converged' : 'failed'));
  for (const host of ['db1', 'web1']) {
    const motd = await readFile(join(world.root(host), 'etc/motd'), 'utf8');
    print(`${host} still says: ${motd.trim()}`);
  }
}

const brokenActivation = `#!/bin/sh
set -eu
mkdir -p "$out/bin"
printf '#!/bin/sh\\necho "nginx: unknown directive" >&2\\nexit 1\\n' >"$out/bin/switch-to-configuration"
chmod +x "$out/bin/switch-to-configuration"
`;

async function revert(stage: Stage): Promise<void> {
  const { world, say, show } = stage;
  say('Undo is a revert. It is a push like any other:');
  show('git revert HEAD && git push');
  await world.git(['checkout', '--quiet', 'HEAD~1', '--', '.']);
  await world.commit({}, 'Revert "Break two machines"');
  await followUntil(stage, (host) => host.state === 'converged');
}

async function diary({ world, say, show, print }: Stage): Promise<void> {
  say('What web1 did is in Git, signed by web1. Anybody with a clone reads its diary:');
  show('git log --first-parent --format="%h %ar %s" origin/state/web1');
  await world.git(['fetch', '--quiet']);
  print(await world.git(['log', '--first-parent', '--format=%h %ar %s', 'origin/state/web1']));
  show('autark log web1');
  print(await world.mustAutark(['log', 'web1']));
}

function howToGoOn({ world, say, print }: Stage): void {
  say('Everything is kept. The agents stop with the demo; start one again and try:');
  print(`  cd ${world.clone}`);
  print('  export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1');
  print(`  autark agent --root ${world.root('web1')} &`);
  print('  autark status; autark log web2; git log --graph --all --oneline');
  print(`  rm -rf ${world.dir}      # when you are done`);
}
