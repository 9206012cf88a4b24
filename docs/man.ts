/** `npm run manual`: writes docs/autark.1, from the root of the project. */
import { writeFile } from 'node:fs/promises';
import { manualPage } from './manual.ts';

await writeFile('docs/autark.1', manualPage());
