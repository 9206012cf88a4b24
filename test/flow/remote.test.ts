import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { execHost } from '../rig/exec-system.ts';
import { type Fleet, type FleetHost, makeDeployed, newest } from '../rig/fleet.ts';
import { must } from '../rig/run.ts';

let fleet: Fleet & { host: FleetHost };
let host: FleetHost;
let away: string;
beforeAll(async () => {
  fleet = await makeDeployed();
  host = fleet.host;
  away = join(fleet.world.dir, 'away.git');
});
afterAll(() => fleet.world.remove());

const takeAway = (): void => {
  renameSync(fleet.world.remote, away);
};
const giveBack = (): void => {
  rmSync(fleet.world.remote, { recursive: true, force: true });
  renameSync(away, fleet.world.remote);
};

describe('a remote that is no fleet any more', () => {
  afterEach(async () => {
    giveBack();
    // Nothing was lost and nothing was made of it: the next cycle finds what it knew.
    const ran = await host.agent();
    expect(ran).toMatchObject({ code: 0, stderr: '' });
  });

  test.each([
    ['missing', () => undefined],
    [
      'an empty folder',
      (path: string) => {
        mkdirSync(path);
      },
    ],
    [
      'a folder of rubbish',
      (path: string) => {
        mkdirSync(join(path, 'refs'), { recursive: true });
        writeFileSync(join(path, 'HEAD'), 'rubbish\n');
      },
    ],
    [
      'a file',
      (path: string) => {
        writeFileSync(path, 'rubbish');
      },
    ],
    [
      'an empty repository',
      (path: string) => must('git', ['init', '--quiet', '--bare', path], { env: fleet.world.env }),
    ],
  ] as readonly [string, (path: string) => unknown][])(
    '%s: it cannot be reached (50), says so, and the system runs on',
    async (_name, put) => {
      const [before, tip, journal] = [host.running(), await newest(host), host.journal()];
      takeAway();
      await put(fleet.world.remote);
      for (let look = 0; look < 3; look += 1) {
        const { code, stderr } = await host.agent();
        expect(code).toBe(50);
        expect(stderr).toMatch(new RegExp(` warn failure web1 - poll: .* \\(${fleet.world.remote}\\); \\S+`));
      }
      expect(host.running()).toEqual(before);
      expect(host.journal()).toBe(journal);
      giveBack();
      expect((await newest(host)).id).toBe(tip.id);
      takeAway();
    },
  );
});

describe('a configuration branch', () => {
  test('that was deleted is named, and the system runs on', async () => {
    const [before, head] = [host.running(), await fleet.server.head()];
    await fleet.server.git(['update-ref', '-d', 'refs/heads/main']);
    const { code, stderr } = await host.agent();
    expect(code).toBe(50);
    expect(stderr).toMatch(/the remote has no branch main .*; push it .*or correct `branch` in agent\.yaml/);
    expect(host.running()).toEqual(before);
    await fleet.server.git(['update-ref', 'refs/heads/main', head]);
    await fleet.server.commit({ files: execHost('web1', 'back') });
    expect((await host.agent()).code).toBe(0);
    expect(host.motd()).toBe('back');
  });
});

describe('the agent’s own Git directory', () => {
  test.each([
    [
      'missing',
      (path: string) => {
        rmSync(path, { recursive: true });
      },
    ],
    [
      'without its objects',
      (path: string) => {
        rmSync(join(path, 'objects'), { recursive: true });
      },
    ],
    [
      'with a file where its objects were',
      (path: string) => {
        rmSync(join(path, 'objects'), { recursive: true });
        writeFileSync(join(path, 'objects'), 'x');
      },
    ],
    [
      'with cut off objects',
      (path: string) => {
        for (const name of readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' })) {
          const file = join(path, 'objects', name);
          if (lstatSync(file).isFile()) chmodSync(file, 0o600);
          if (lstatSync(file).isFile()) truncateSync(file, 5);
        }
      },
    ],
  ])('%s is fetched anew within three looks', async (name, spoil) => {
    rmSync(host.path('var/lib/autark/git/fleet.git'), { recursive: true, force: true });
    expect((await host.agent()).code).toBe(0);
    spoil(host.path('var/lib/autark/git/fleet.git'));
    await fleet.server.commit({ files: execHost('web1', name) });
    const codes: (number | null)[] = [];
    for (let look = 0; look < 3 && codes.at(-1) !== 0; look += 1) codes.push((await host.agent()).code);
    expect(codes.at(-1)).toBe(0);
    expect(host.motd()).toBe(name);
  });
});

describe('enroll', () => {
  test('at a remote that is missing says what to do, and goes on when run again', async () => {
    const root = fleet.world.root('late');
    const call = [
      ...['enroll', '--root', root, '--remote', fleet.world.remote, '--host', 'late'],
      ...['--introduction', fleet.introduction],
    ];
    takeAway();
    const ran = await fleet.world.autark(call).finally(giveBack);
    expect(ran.code).toBe(50);
    expect(ran.stderr).toMatch(new RegExp(`^autark: .*\\(${fleet.world.remote}\\); \\S+`));
    const again = await fleet.world.autark(call);
    expect(again.code).toBe(0);
    expect(await fleet.server.git(['for-each-ref', 'refs/heads/enroll/late'])).not.toBe('');
  });
});
