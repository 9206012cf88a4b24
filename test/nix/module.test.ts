import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAgentSettings } from '../../shared/fleet/agent-yaml.ts';
import { describeWith } from '../rig/needs.ts';
import { type Evaluator, type Machine, makeEvaluator, realLib, repository } from '../rig/nix-module.ts';
import { run } from '../rig/run.ts';

const introduction = '3c5e'.repeat(10);
const least = {
  enable: 'true',
  host: '"web1"',
  remote: '"ssh://git@git.example.org/fleet.git"',
  introduction: `"${introduction}"`,
} as const;

/** `services.autark` with these options beside the least, or in place of them; in Nix. */
function settings(options: Readonly<Record<string, string>> = {}): string {
  const all = Object.entries({ ...least, ...options });
  return `services.autark = { ${all.map(([name, value]) => `${name} = ${value};`).join(' ')} };`;
}

/** Directives of a unit's file in their sections, comments left out, in an order that does not matter. */
function directives(text: string): string[] {
  let section = '';
  return text
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line))
    .flatMap((line) => {
      if (!line.startsWith('[')) return [`${section} ${line}`];
      section = line;
      return [];
    })
    .sort();
}

const shipped = (unit: string): string => readFileSync(join(repository, 'systemd', unit), 'utf8');
/** `Install` is links in NixOS; programs have their places in the store; `PATH` is NixOS' own. */
const ofTheMachine = /^\[Install\]|^\[Service\] (?:Exec\w+|Environment|X-StopIfChanged)=/;
const compared = (text: string): string[] => directives(text).filter((line) => !ofTheMachine.test(line));

const libs = [
  ['the lib that stands in for nixpkgs’', null],
  ...(realLib() === null ? [] : [['nixpkgs’ own lib', realLib()] as const]),
] as const;

describeWith(['nix'], 'services.autark', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'autark-module-'));
  });
  afterAll(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  describe.each(libs)('with %s', (_name, lib) => {
    let nix: Evaluator;
    let plain: Machine;
    beforeAll(async () => {
      nix = await makeEvaluator(join(dir, lib === null ? 'stub' : 'real'), lib);
      plain = await nix.machine(settings());
    });
    const file = async (options: Readonly<Record<string, string>>) => {
      const { etc, failed } = await nix.machine(settings(options));
      expect(failed).toEqual([]);
      return parseAgentSettings(etc['autark/agent.yaml']?.text ?? '', 'agent.yaml');
    };

    test('makes an agent.yaml of the least there must be, with the defaults of the file itself', () => {
      const least = `host: web1\nremote: ssh://git@git.example.org/fleet.git\nintroduction: ${introduction}\n`;
      const made = parseAgentSettings(plain.etc['autark/agent.yaml']?.text ?? '', 'agent.yaml');
      expect(made).toEqual(parseAgentSettings(least, 'agent.yaml'));
      expect(made.ok).toBe(true);
    });

    test.each([
      ['host', 'web-2', 'web-2'],
      ['remote', 'https://git.example.org/ops/fleet.git', 'https://git.example.org/ops/fleet.git'],
      ['stateRemote', 'git@git.example.org:state.git', 'git@git.example.org:state.git'],
      ['branch', 'config/live', 'config/live'],
      ['dir', 'infra/fleet', 'infra/fleet'],
      ['introduction', '88d0'.repeat(10), '88d0'.repeat(10)],
      ['floor', '12'.repeat(20), '12'.repeat(20)],
      ['key', '/etc/autark/key', '/etc/autark/key'],
      ['gitKey', '/var/lib/autark/git/id_ed25519', '/var/lib/autark/git/id_ed25519'],
      ['knownHosts', '/etc/autark/hosts: "all" # ${x}', '/etc/autark/hosts: "all" # ${x}'],
      ['tokenFile', '/run/keys/token', '/run/keys/token'],
      ['profile', '/nix/var/nix/profiles/other', '/nix/var/nix/profiles/other'],
      ['interval', '90s', 90_000],
    ] as const)('%s reaches agent.yaml as the agent reads it', async (option, written, read) => {
      const made = await file({ [option]: JSON.stringify(written).replaceAll('${', '\\${') });
      expect(made).toMatchObject({ ok: true, value: { [option]: read } });
    });

    test('enable is what brings anything at all', async () => {
      const off = await nix.machine(settings({ enable: 'false' }));
      expect(off).toEqual({
        ...{
          etc: {},
          services: {},
          timers: {},
          units: {},
          users: {},
          groups: {},
          mounts: [],
          activation: {},
        },
        ...{ systemPackages: [], failed: [] },
      });
      expect(Object.keys(plain.services)).toEqual([
        ...['autark', 'autark-recovery', 'autark-secret@', 'autark-secrets', 'autark-secrets-early'],
      ]);
      expect(plain.units).toHaveProperty(['multi-user.target.wants/autark.service']);
      expect(plain.units).toHaveProperty(['multi-user.target.wants/autark-recovery.service']);
    });

    test('package is the program of the units, and on everybody’s PATH', async () => {
      const other = await nix.machine(settings({ package: 'nixpkgs.legacyPackages.x86_64-linux.vim' }));
      for (const [machine, program] of [
        [plain, /^\S+-autark-[\d.]+$/],
        [other, /^\S+-vim$/],
      ] as const) {
        const [installed = ''] = machine.systemPackages;
        expect(installed).toMatch(program);
        expect(machine.services['autark']).toMatchObject({
          serviceConfig: { ExecStart: `${installed}/bin/autark agent` },
        });
      }
    });

    test('once has a timer begin cycles in place of the agent, whose unit stays', async () => {
      const machine = await nix.machine(settings({ once: 'true' }));
      const wanted = Object.keys(machine.units).filter((path) => path.includes('.wants/'));
      expect(wanted.sort()).toEqual([
        'multi-user.target.wants/autark-recovery.service',
        'sysinit.target.wants/autark-secrets-early.service',
        'sysinit.target.wants/autark-secrets.service',
        'timers.target.wants/autark-once.timer',
      ]);
      expect(machine.units).toHaveProperty(['autark.service']);
      for (const unit of ['autark-once.service', 'autark-once.timer'])
        expect(compared(machine.units[unit] ?? '')).toEqual(compared(shipped(unit)));
      expect(machine.services['autark-once']).toMatchObject({
        serviceConfig: { ExecStart: `${machine.systemPackages[0] ?? ''}/bin/autark agent --once` },
      });
    });

    test.each([
      ...['autark.service', 'autark-recovery.service'],
      ...['autark-secrets-early.service', 'autark-secrets.service'],
    ])('declares %s as it is shipped, directive by directive', (unit) => {
      const made = plain.units[unit] ?? '';
      expect(compared(made)).toEqual(compared(shipped(unit)));
      expect(compared(made).length).toBeGreaterThan(5);
      // A switch must leave it alone, where NixOS looks for it (switch-to-configuration).
      expect(directives(made)).toContain('[Service] X-RestartIfChanged=false');
      expect(directives(made)).toContain('[Service] X-StopIfChanged=false');
      const wanted = /^\[Install\] WantedBy=(.*)$/m.exec(directives(shipped(unit)).join('\n'))?.[1] ?? '';
      expect(plain.units).toHaveProperty([`${wanted}.wants/${unit}`]);
    });

    test('secrets lie in the mount that is shipped, and are placed before the users of an activation', () => {
      const { what, where, type, options, unitConfig } = plain.mounts[0] ?? {};
      const made = [`What=${String(what)}`, `Where=${String(where)}`, `Type=${String(type)}`];
      const text = shipped('run-autark-secrets.d.mount');
      for (const line of [...made, `Options=${String(options)}`]) expect(text).toContain(`\n${line}\n`);
      expect(unitConfig).toMatchObject({ DefaultDependencies: 'no' });
      const { autarkSecrets, users } = plain.activation;
      expect(users?.['deps']).toEqual(['autarkSecrets']);
      const script = String(autarkSecrets?.['text']);
      expect(script).toContain(
        `${plain.systemPackages[0] ?? ''}/bin/autark secrets install --early --system "$systemConfig" `,
      );
      expect(script).toContain(`-o ${String(options)} `);
      expect(plain.units['autark-secret@.service']).toMatch(
        /^ExecStart=\/bin\/sh \S+\/lib\/autark\/systemd\/autark-secret %i$/m,
      );
    });

    test('going back to a system without the unit does not end the agent that goes back', () => {
      expect(directives(plain.units['autark.service'] ?? '')).toContain('[Unit] X-StopOnRemoval=false');
    });

    test('the agent alone is told its package: by that it knows when another takes its place', () => {
      const telling = Object.values(plain.units).filter((text) => text.includes('AUTARK_PROGRAM'));
      expect(telling).toEqual([plain.units['autark.service']]);
      expect(telling[0]).toMatch(/^Environment="AUTARK_PROGRAM=(\S+)"$[^]*^ExecStart=\1 agent$/m);
    });

    test('the units find git, ssh, Nix and what looks at disks, and no program where NixOS has none', () => {
      for (const unit of ['autark.service', 'autark-recovery.service']) {
        const text = plain.units[unit] ?? '';
        const path = /^Environment=PATH=(\S+)$/m.exec(text)?.[1]?.split(':') ?? [];
        const packages = ['nix', 'git', 'openssh', 'util-linux', 'lvm2', 'mdadm', 'cryptsetup'];
        expect(path.map((each) => each.replace(/^.*\/[0-9a-z]{32}-/, ''))).toEqual(
          packages.map((name) => `${name}/bin`),
        );
        const programs = [...text.matchAll(/^Exec\w+=(\S+)/gm)].map(([, program]) => program ?? '');
        expect(programs.length).toBeGreaterThan(0);
        for (const program of programs) expect(program).toMatch(/^\/bin\/sh$|\/store\/[0-9a-z]{32}-[^/]+\//);
      }
    });

    test('makes the users that the agent looks for, as the shipped file describes them', () => {
      const described = [...shipped('autark.sysusers.conf').matchAll(/^u (\S+) - "(.*)" \/nonexistent$/gm)];
      expect(described.map(([, user]) => user)).toEqual(['autark-git', 'autark-build']);
      for (const [, user = '', description] of described)
        expect(plain.users[user]).toEqual({ isSystemUser: true, group: user, description });
      expect(Object.keys(plain.users).sort()).toEqual(['autark-build', 'autark-git']);
      expect(Object.keys(plain.groups).sort()).toEqual(['autark-build', 'autark-git']);
    });

    test('a machine may add to the units', async () => {
      const more = 'systemd.services.autark.after = [ "openvpn.service" ];';
      const { services } = await nix.machine(`${settings()} ${more}`);
      const after = services['autark']?.['after'] as string[];
      expect(after).toEqual(expect.arrayContaining(['autark-recovery.service', 'openvpn.service']));
    });

    test.each([
      ['a host with a capital', { host: '"Web1"' }, /services\.autark\.host.*not of type.*lower-case/],
      ['no text', { host: '7' }, /services\.autark\.host.*not of type/],
      ['half an introduction', { introduction: '"3d4f74e"' }, /autark\.introduction.*40 hexadecimal/],
      ['a program as remote', { remote: '"ext::sh -c true"' }, /autark\.remote.*Git can fetch/],
      ['a Nix path as key', { key: '/etc/ssh/key' }, /autark\.key.*not of type.*absolute path/],
      ['an interval without a unit', { interval: '"60"' }, /autark\.interval.*duration/],
      ['an option that there is not', { hots: '"web1"' }, /services\.autark\.hots.* does not exist/],
    ])('refuses %s', async (_what, options, message) => {
      expect((await nix.complaint(settings(options))).replaceAll('\n', ' ')).toMatch(message);
    });

    test.each(['host', 'remote', 'introduction'])('has no default for %s', async (option) => {
      const without = settings().replace(new RegExp(` ${option} = [^;]*;`), '');
      expect(await nix.complaint(without)).toMatch(
        new RegExp(`services\\.autark\\.${option}.*no value defined`),
      );
    });

    test.each([
      ['key', '"${builtins.storeDir}/00000000000000000000000000000000-key"', 'key is in the Nix store'],
      ['gitKey', '"${builtins.storeDir}/00000000000000000000000000000000-key"', 'gitKey is in the Nix store'],
      ['tokenFile', '"${builtins.toFile "token" "s3cret"}"', 'tokenFile is in the Nix store'],
      ['remote', '"https://alice:s3cret@git.example.org/fleet.git"', 'remote holds a password'],
      ['remote', '"https://s3cret@git.example.org/fleet.git"', 'remote holds a password'],
      ['stateRemote', '"ssh://git:s3cret@git.example.org/fleet.git"', 'stateRemote holds a password'],
    ])('keeps a secret out of the store: %s = %s', async (option, value, message) => {
      const { failed } = await nix.machine(settings({ [option]: value }));
      expect(failed).toEqual([expect.stringContaining(`services.autark.${message}`) as unknown]);
    });

    test('a user whose token is in a file is no secret', async () => {
      const remote = '"https://deploy@git.example.org/fleet.git"';
      expect((await nix.machine(settings({ remote, tokenFile: '"/run/keys/token"' }))).failed).toEqual([]);
    });

    test('systemd finds nothing wrong with the units', async () => {
      const { units } = await nix.machine(settings({ once: 'true' }));
      const folder = join(dir, 'verified');
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
      const names = Object.keys(units).filter((path) => !path.includes('/'));
      for (const unit of names) {
        // Nothing is built here, so no program is where it will be.
        const text = (units[unit] ?? '').replace(/^(Exec\w+=)\S+\/store\/\S+/gm, '$1/bin/true');
        writeFileSync(join(folder, unit), text);
      }
      const env = { PATH: process.env['PATH'] ?? '', SYSTEMD_UNIT_PATH: `${folder}:` };
      const ran = await run(
        'systemd-analyze',
        ['verify', '--man=no', ...names.map((unit) => join(folder, unit))],
        { env },
      );
      expect(ran.stderr.split('\n').filter((line) => line.includes(folder) || /autark/.test(line))).toEqual(
        [],
      );
    });
  });
});
