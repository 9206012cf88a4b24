/**
 * `fleet.yaml` in valibot: which keys there are and what their values must be. `validate.ts` walks it beside the
 * file; docs/json-schema.ts turns it into a JSON Schema. What relates keys to each other is in `relations.ts`.
 */
import * as v from 'valibot';
import { healthKinds } from '../health/check.ts';
import * as value from './values.ts';

const paths = v.array(value.pathInTree);
const names = v.array(value.name);
const units = v.array(value.unitName);

/** A part of it may come from defaults and groups: whether the merged one is whole is checked apart. */
export const system = v.strictObject({
  kind: v.exactOptional(v.picklist(['nixos', 'exec'], 'kind')),
  attr: v.exactOptional(value.nixAttribute),
  dir: v.exactOptional(value.folderInTree),
  build: v.exactOptional(value.pathInTree),
  inputs: v.exactOptional(paths),
});

const health = v.pipe(
  v.strictObject({
    http: v.exactOptional(value.httpAddress),
    tcp: v.exactOptional(value.tcpAddress),
    unit: v.exactOptional(value.unitName),
    command: v.exactOptional(value.pathInTree),
    timeout: v.exactOptional(value.wait),
    retries: v.exactOptional(value.count('retries', 1000)),
    soak: v.exactOptional(value.wait),
  }),
  v.metadata({ oneOf: healthKinds.map((kind) => ({ required: [kind] })) }),
);

const step = v.strictObject({
  name: value.name,
  run: value.pathInTree,
  files: v.exactOptional(paths),
  destroys: v.exactOptional(v.array(value.device)),
  credentials: v.exactOptional(v.array(value.credential)),
  timeout: v.exactOptional(value.wait),
  /** Written by `autark step approve`; what is in it is judged where the step is. */
  approved: v.exactOptional(v.record(v.string(), v.unknown())),
});

/** What `defaults`, a group and a host may all say. */
const common = {
  system: v.exactOptional(system),
  activate: v.exactOptional(v.picklist(['switch', 'boot'], 'activate')),
  health: v.exactOptional(v.array(health)),
  drift: v.exactOptional(v.picklist(['report', 'correct'], 'drift')),
  interval: v.exactOptional(value.wait),
  heartbeat: v.exactOptional(value.heartbeat),
  timeouts: v.exactOptional(
    v.strictObject({
      fetch: v.exactOptional(value.wait),
      build: v.exactOptional(value.wait),
      switch: v.exactOptional(value.wait),
    }),
  ),
  keep: v.exactOptional(value.count('keep', 1000)),
  paused: v.exactOptional(v.strictObject({ reason: value.line, until: v.exactOptional(value.time) })),
  steps: v.exactOptional(v.array(step)),
  backups: v.exactOptional(v.strictObject({ luksHeaders: v.exactOptional(v.boolean('boolean')) })),
  agent: v.exactOptional(v.strictObject({ file: value.pathInTree })),
};

/** `defaults`, and each entry of `groups`. */
export const layer = v.strictObject(common);

/** An entry of `hosts`; also what is left after defaults and groups are merged below it. */
export const host = v.strictObject({
  key: v.exactOptional(value.hostKey),
  genesis: v.exactOptional(value.commitId),
  retired: v.exactOptional(v.boolean('boolean')),
  groups: v.exactOptional(names),
  /** Steps that the machine before this one has done, as `autark approve --replace` writes it. */
  done: v.exactOptional(names),
  ...common,
});

export const secret = v.strictObject({
  groups: v.exactOptional(names),
  hosts: v.exactOptional(names),
  owner: v.exactOptional(value.ownerName),
  group: v.exactOptional(value.ownerName),
  mode: v.exactOptional(value.fileMode),
  path: v.exactOptional(value.pathOnHost),
  restart: v.exactOptional(units),
  reload: v.exactOptional(units),
  early: v.exactOptional(v.boolean('boolean')),
  each: v.exactOptional(v.boolean('boolean')),
});

/** A section or an entry may be left empty: everything below it may be a comment. */
export const fleet = v.strictObject({
  version: v.literal(1, 'version'),
  fleet: value.fleetId,
  requires: v.exactOptional(value.release),
  readers: v.exactOptional(v.nullable(v.array(value.reader))),
  defaults: v.exactOptional(v.nullable(layer)),
  groups: v.exactOptional(v.nullable(v.record(value.name, v.nullable(layer)))),
  hosts: v.exactOptional(v.nullable(v.record(value.name, v.nullable(host)))),
  secrets: v.exactOptional(v.nullable(v.record(value.name, v.nullable(secret)))),
});

/** The part of the file that stands alone. */
export const head = v.object({
  fleet: value.fleetId,
  readers: v.exactOptional(v.nullable(v.array(value.reader))),
});

export type HostEntry = v.InferOutput<typeof host>;
export type SecretEntry = v.InferOutput<typeof secret>;
