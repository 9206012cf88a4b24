/** `npm run deb`: writes dist/autark_VERSION_all.deb, from the root of the project. */
import { join } from 'node:path';
import { version } from '../shared/version.ts';
import { bundle } from './bundle.ts';
import { makeDeb } from './deb.ts';
import { tool } from './tool.ts';

const root = process.cwd();
/** That of the last commit, unless whoever builds it says another. */
const epoch =
  process.env['SOURCE_DATE_EPOCH'] ?? String(Buffer.from(await tool('git', ['log', '-1', '--format=%ct'])));
const file = await makeDeb({
  ...{ root, version, epoch: Number(epoch), bundle: await bundle(root) },
  into: join(root, 'dist'),
});
console.log(file);
