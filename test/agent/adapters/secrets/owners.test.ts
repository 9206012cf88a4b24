import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { built } from '../../../boundary/children.ts';
import { describeWith } from '../../../rig/needs.ts';
import { must } from '../../../rig/run.ts';
import { scratch } from '../scratch.ts';

describeWith(['root'], 'a file for an owner', () => {
  test('whom the user namespace does not have stays as it is, and the system’s refusal is said', async () => {
    const file = join(scratch(), 'value');
    writeFileSync(file, 'x', { mode: 0o400 });
    const script = `
      import { giveTo } from ${built('secrets/owners')};
      const declared = { owner: '4242', group: '4242', mode: 0o440 };
      console.log(await giveTo(process.argv[1], declared, (_, name) => Promise.resolve(Number(name))));`;
    const call = ['--user', '--map-root-user', process.execPath, '--input-type=module', '-e', script, file];
    const said = await must('unshare', call, { env: { PATH: process.env['PATH'] ?? '' } });
    expect(said).toContain('cannot give it to 4242:4242');
    expect(said).toContain('EINVAL');
  });
});
