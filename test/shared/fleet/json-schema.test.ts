import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fleetJsonSchema } from '../../../docs/json-schema.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { everything, fleetYaml, publicKey } from './sample.ts';

const root = join(import.meta.dirname, '../../..');
const committed: unknown = JSON.parse(readFileSync(join(root, 'docs/fleet.schema.json'), 'utf8'));

test('docs/fleet.schema.json is what `npm run schema` writes', () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(fleetJsonSchema())));
});

describe('an independent validator with the committed schema agrees with parseFleet', () => {
  const validate = new Ajv().compile(committed as object);
  const inHost = (line: string) => fleetYaml('hosts:', '  web1:', `    ${line}`);

  test.each([
    ['everything', everything],
    ['next to nothing', fleetYaml()],
    ['empty sections', fleetYaml('readers:', 'defaults:', 'groups:', 'hosts:', 'secrets:')],
    ['empty entries', fleetYaml('groups: { web: }', 'hosts: { web1: }', 'secrets: { token: }')],
    ['keys of one’s own', fleetYaml('x-a: [1]', 'hosts: { web1: { x-b: {}, timeouts: { x-c: 1 } } }')],
    ['a number for requires', fleetYaml('requires: 0.1')],
    ['text for requires', fleetYaml('requires: "0.0.9"')],
    ['a part of a system', fleetYaml('defaults: { system: { dir: nix } }')],
  ])('good: %s', (_what, text) => {
    expect(parseFleet(text, { file: 'fleet.yaml', version: '0.1.0' }).ok).toBe(true);
    expect(validate(parse(text)), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each([
    ['no fleet', 'version: 1'],
    ['no map', '[]'],
    ['another version', fleetYaml().replace('version: 1', 'version: 2')],
    ['an unknown section', fleetYaml('host: {}')],
    ['an unknown key', inHost('intervall: 60s')],
    ['an unknown key further in', inHost('timeouts: { pull: 5m }')],
    ['a key of hosts in a group', fleetYaml(`groups: { web: { key: ${publicKey(1)} } }`)],
    ['a list for a map', fleetYaml('hosts: []')],
    ['a map for a list', inHost('steps: {}')],
    ['a number for a duration', inHost('interval: 60')],
    ['a duration without unit', inHost('interval: "60"')],
    ['text for a number', inHost('keep: "5"')],
    ['a fraction', inHost('keep: 1.5')],
    ['a negative number', inHost('keep: -1')],
    ['a number for a mode', fleetYaml('secrets: { a: { mode: 400 } }')],
    ['an unknown choice', inHost('activate: reboot')],
    ['a host outside the grammar', fleetYaml('hosts: { Web_1: {} }')],
    ['a path out of the tree', inHost('system: { kind: exec, build: ../b }')],
    ['a key of another type', inHost('key: ssh-rsa AAAA')],
    ['a check of two things', inHost('health: [ { unit: a.service, command: b } ]')],
    ['a check of nothing', inHost('health: [ { timeout: 5s } ]')],
    ['a step without program', inHost('steps: [ { name: a } ]')],
    ['nothing where a map must be', inHost('timeouts:')],
    ['a false time', inHost('paused: { reason: x, until: tomorrow }')],
  ])('bad: %s', (_what, text) => {
    expect(parseFleet(text, { file: 'fleet.yaml', version: '0.1.0' }).ok).toBe(false);
    expect(validate(parse(text))).toBe(false);
  });
});
