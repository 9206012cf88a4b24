import { describe, expect, test } from 'vitest';
import { findings, marked, places } from './marks.ts';
import { fleetId, fleetYaml, genesis, publicKey, recipient } from './sample.ts';

describe('one thing wrong', () => {
  const inHost = (line: string) => fleetYaml('hosts:', '  web1:', `    ${line}`);
  const inSecret = (line: string) => fleetYaml('secrets:', '  token:', `    ${line}`);

  test.each([
    ['a number for text', inHost('▸keep: 3').replace('▸keep: 3', 'genesis: ▸1234'), 'hosts.web1.genesis'],
    ['text for a number', inHost('keep: ▸five'), 'hosts.web1.keep'],
    ['a fraction', inHost('keep: ▸1.5'), 'hosts.web1.keep'],
    ['a negative number', inHost('keep: ▸-1'), 'hosts.web1.keep'],
    ['a duration without a unit', inHost('interval: ▸60'), 'hosts.web1.interval'],
    ['a wait beyond what a timer holds', inHost('interval: ▸25d'), 'hosts.web1.interval'],
    ['a word for a duration', inHost('heartbeat: ▸sometimes'), 'hosts.web1.heartbeat'],
    ['a list for a map', inHost('timeouts: ▸[5m]'), 'hosts.web1.timeouts'],
    ['a map for a list', inHost('steps: ▸{ name: a, run: b }'), 'hosts.web1.steps'],
    ['an empty list for a map', fleetYaml('hosts: ▸[]'), 'hosts'],
    ['nothing for a map', inHost('▸timeouts:'), 'hosts.web1.timeouts'],
    ['nothing for text', inHost('▸key:'), 'hosts.web1.key'],
    ['an unknown choice', inHost('activate: ▸reboot'), 'hosts.web1.activate'],
    ['a choice in capitals', inHost('drift: ▸Report'), 'hosts.web1.drift'],
    ['yes, which is text in YAML 1.2', inHost('retired: ▸yes'), 'hosts.web1.retired'],
    ['an unknown key', inHost('▸intervall: 60s'), 'hosts.web1.intervall'],
    [
      'an unknown key in a flow map',
      inHost('timeouts: { fetch: 1s, ▸pull: 1s }'),
      'hosts.web1.timeouts.pull',
    ],
    ['a key that JavaScript knows', inHost('▸constructor: 1'), 'hosts.web1.constructor'],
    ['a key that makes prototypes', inHost('▸__proto__: { keep: 1 }'), 'hosts.web1.__proto__'],
    ['a merge key', inHost('▸<<: { keep: 1 }'), 'hosts.web1.<<'],
    ['a key of hosts in defaults', fleetYaml(`defaults: { ▸key: ${publicKey(1)} }`), 'defaults.key'],
    ['groups in a group', fleetYaml('groups: { web: { ▸groups: [] } }'), 'groups.web.groups'],
    ['a key of another type', inHost('key: ▸ssh-rsa AAAAB3NzaC1yc2E='), 'hosts.web1.key'],
    ['a key that is cut short', inHost(`key: ▸${publicKey(1).slice(0, -1)}`), 'hosts.web1.key'],
    ['a key with options before it', inHost(`key: ▸restrict ${publicKey(1)}`), 'hosts.web1.key'],
    ['a genesis in capitals', inHost(`genesis: ▸${genesis.toUpperCase()}`), 'hosts.web1.genesis'],
    ['a short genesis', inHost('genesis: ▸4be1aaa'), 'hosts.web1.genesis'],
    ['a path out of the tree', inHost('system: { kind: exec, build: ▸../build }'), 'hosts.web1.system.build'],
    ['a path through ..', inHost('system: { kind: exec, build: ▸a/../b }'), 'hosts.web1.system.build'],
    ['an absolute path', inHost('system: { kind: exec, build: ▸/bin/sh }'), 'hosts.web1.system.build'],
    ['a path like an option', inHost('system: { kind: exec, build: ▸-rf }'), 'hosts.web1.system.build'],
    ['a path with an empty part', inHost('system: { kind: exec, build: ▸a//b }'), 'hosts.web1.system.build'],
    ['a path with . in it', inHost('system: { kind: exec, build: ▸./b }'), 'hosts.web1.system.build'],
    ['a path to a folder', inHost('system: { kind: exec, build: ▸b/ }'), 'hosts.web1.system.build'],
    ['. where a file must be', inHost('system: { kind: exec, build: ▸. }'), 'hosts.web1.system.build'],
    [
      'a path in a list',
      inHost('system: { kind: exec, build: b, inputs: [a, ▸..] }'),
      'hosts.web1.system.inputs[1]',
    ],
    ['a folder out of the tree', inHost('system: { kind: nixos, dir: ▸.. }'), 'hosts.web1.system.dir'],
    ['Nix code for a name', inHost('system: { kind: nixos, attr: ▸a.b }'), 'hosts.web1.system.attr'],
    ['a quoted way out of Nix', inHost(`system: { kind: nixos, attr: ▸'a"b' }`), 'hosts.web1.system.attr'],
    ['an unknown kind', inHost('system: { kind: ▸nix }'), 'hosts.web1.system.kind'],
    ['a system without kind', inHost('▸system: { attr: web1 }'), 'hosts.web1.system.kind'],
    ['an exec system without build', inHost('▸system: { kind: exec }'), 'hosts.web1.system.build'],
    ['a build for nixos', inHost('system: { kind: nixos, ▸build: b }'), 'hosts.web1.system.build'],
    ['an attr for exec', inHost('system: { kind: exec, build: b, ▸attr: a }'), 'hosts.web1.system.attr'],
    ['a pause without reason', inHost('▸paused: { until: 2027-01-05T08:00Z }'), 'hosts.web1.paused.reason'],
    [
      'a day that does not exist',
      inHost('paused: { reason: x, until: ▸2027-02-30T08:00Z }'),
      'hosts.web1.paused.until',
    ],
    ['a check that looks at nothing', inHost('health: [ ▸{ timeout: 5s } ]'), 'hosts.web1.health[0]'],
    [
      'a check that looks at two',
      inHost('health: [ { unit: a.service, ▸command: b } ]'),
      'hosts.web1.health[0]',
    ],
    ['a unit without a suffix', inHost('health: [ { unit: ▸nginx } ]'), 'hosts.web1.health[0].unit'],
    [
      'a template, which is no unit',
      inHost('health: [ { unit: ▸a@.service } ]'),
      'hosts.web1.health[0].unit',
    ],
    ['a unit like an option', inHost('health: [ { unit: ▸-H.service } ]'), 'hosts.web1.health[0].unit'],
    [
      'an address that is none',
      inHost('health: [ { http: ▸file:///etc/passwd } ]'),
      'hosts.web1.health[0].http',
    ],
    ['a tcp check without port', inHost('health: [ { tcp: ▸"db.example" } ]'), 'hosts.web1.health[0].tcp'],
    ['a tcp check of port 0', inHost('health: [ { tcp: ▸"db:0" } ]'), 'hosts.web1.health[0].tcp'],
    [
      'a tcp check of a port too high',
      inHost('health: [ { tcp: ▸"db:65536" } ]'),
      'hosts.web1.health[0].tcp',
    ],
    [
      'a tcp check of a bare IPv6 address',
      inHost('health: [ { tcp: ▸"::1:80" } ]'),
      'hosts.web1.health[0].tcp',
    ],
    ['a step without program', inHost('steps: [ ▸{ name: a } ]'), 'hosts.web1.steps[0].run'],
    [
      'a step twice',
      inHost('steps: [ { name: a, run: b }, { name: ▸a, run: c } ]'),
      'hosts.web1.steps[1].name',
    ],
    [
      'a device outside /dev',
      inHost('steps: [ { name: a, run: b, destroys: [▸/etc] } ]'),
      'hosts.web1.steps[0].destroys[0]',
    ],
    [
      'a way out of /dev',
      inHost('steps: [ { name: a, run: b, destroys: [▸/dev/../etc] } ]'),
      'hosts.web1.steps[0].destroys[0]',
    ],
    [
      'a credential that is no variable',
      inHost('steps: [ { name: a, run: b, credentials: [▸A-B] } ]'),
      'hosts.web1.steps[0].credentials[0]',
    ],
    [
      'an approval for every machine',
      fleetYaml('defaults: { steps: [ { name: a, run: b }, { name: c, run: d, ▸approved: {} } ] }'),
      'defaults.steps[1].approved',
    ],
    [
      'an approval for the machines of a group',
      fleetYaml(
        'groups:',
        '  web:',
        '    steps:',
        '      - name: a',
        '        run: b',
        '        ▸approved: {}',
      ),
      'groups.web.steps[0].approved',
    ],
    ['an agent without file', inHost('▸agent: {}'), 'hosts.web1.agent.file'],
    [
      'a group that is not declared',
      fleetYaml('groups: { web: {} }', 'hosts: { web1: { groups: [web, ▸wbe] } }'),
      'hosts.web1.groups[1]',
    ],
    ['a host outside the grammar', fleetYaml('hosts: { ▸Web_1: {} }'), 'hosts.Web_1'],
    ['a host that is text', fleetYaml('hosts: { web1: ▸yes please }'), 'hosts.web1'],
    ['a host twice', fleetYaml('hosts:', '  web1: {}', '  ▸web1: {}'), 'hosts.web1'],
    ['a section twice', fleetYaml('hosts: {}', '▸hosts: {}'), 'hosts'],
    ['a reader that cannot read', fleetYaml('readers: [ ▸ssh-rsa AAAA ]'), 'readers[0]'],
    ['a recipient with a slip', fleetYaml(`readers: [ ▸${recipient.slice(0, -1)}b ]`), 'readers[0]'],
    ['a plugin’s recipient', fleetYaml(`readers: [ ▸age1yubikey1${'q'.repeat(58)} ]`), 'readers[0]'],
    ['a mode that is a number', inSecret('mode: ▸0400'), 'secrets.token.mode'],
    ['a mode with set-uid', inSecret('mode: ▸"4755"'), 'secrets.token.mode'],
    ['an owner that is -1 to chown(2)', inSecret('owner: ▸"4294967295"'), 'secrets.token.owner'],
    ['a group beyond 32 bits', inSecret('group: ▸"99999999999"'), 'secrets.token.group'],
    ['a relative path on the host', inSecret('path: ▸etc/x'), 'secrets.token.path'],
    ['a path on the host with ..', inSecret('path: ▸/etc/../x'), 'secrets.token.path'],
    ['a truth in quotes', inSecret('early: ▸"true"'), 'secrets.token.early'],
    ['a secret of a host that is not there', inSecret('hosts: [▸web1]'), 'secrets.token.hosts[0]'],
    ['a secret of a group that is not there', inSecret('groups: [▸web]'), 'secrets.token.groups[0]'],
    ['a release that is none', fleetYaml('requires: ▸newest'), 'requires'],
    ['a release beyond numbers', fleetYaml('requires: ▸1.4.0-rc.1'), 'requires'],
    ['a false requires', fleetYaml('requires: ▸[1]'), 'requires'],
    ['no version', `▸fleet: ${fleetId}`, 'version'],
    ['no fleet', '▸version: 1', 'fleet'],
    ['a version in quotes', `version: ▸"1"\nfleet: ${fleetId}`, 'version'],
    ['a fleet that YAML takes for a number', `version: 1\nfleet: ▸${'1'.repeat(32)}`, 'fleet'],
    ['an anchor that comes later', inHost('timeouts: ▸*later'), 'hosts.web1.timeouts'],
    ['an alias within itself', fleetYaml('x-a: &a [ ▸*a ]'), 'x-a[0]'],
  ])('%s', (_what, text, key) => {
    const { text: plain, places: expected } = marked(text);
    const found = findings(plain);
    expect(found.map((each) => each.key)).toEqual([key]);
    expect(places(found)).toEqual(expected);
    // P8: the cause names the key, the place is there, and there is a next step.
    expect(found[0]?.cause).toContain(key);
    expect(found[0]?.remedy).not.toBe('');
  });
});
