/** `npm run schema`: writes docs/fleet.schema.json, from the root of the project. */
import { writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { fleetJsonSchema } from './json-schema.ts';

const file = 'docs/fleet.schema.json';
const options = await resolveConfig(file);
await writeFile(file, await format(JSON.stringify(fleetJsonSchema()), { ...options, filepath: file }));
