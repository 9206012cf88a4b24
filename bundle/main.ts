/** `npm run bundle`: writes dist/autark.mjs, from the root of the project. */
import { chmod, writeFile } from 'node:fs/promises';
import { bundle } from './bundle.ts';

const file = 'dist/autark.mjs';
await writeFile(file, (await bundle(process.cwd())).text);
await chmod(file, 0o755);
