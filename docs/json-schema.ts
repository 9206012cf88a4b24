import { toJsonSchema, type ConversionConfig, type JsonSchema } from '@valibot/to-json-schema';
import * as schema from '../shared/fleet/schema.ts';

/** Draft 7, which editors know best; of a value that is transformed, the form that people write. */
const config: ConversionConfig = {
  target: 'draft-07',
  typeMode: 'input',
  // What no pattern can say, such as a checksum: autark alone looks at that.
  ignoreActions: ['check'],
  definitions: { host: schema.host, layer: schema.layer, secret: schema.secret },
  overrideSchema: ({ valibotSchema, jsonSchema }) =>
    // Keys of one's own, wherever keys are fixed.
    valibotSchema.type === 'strict_object' ? { ...jsonSchema, patternProperties: { '^x-': {} } } : undefined,
};

/**
 * `fleet.yaml` as a JSON Schema, for editors and other tools. It knows keys and values; what relates keys to each
 * other, such as that a group is declared, only autark itself knows.
 */
export function fleetJsonSchema(): JsonSchema {
  return { title: 'fleet.yaml of autark', ...toJsonSchema(schema.fleet, config) };
}
