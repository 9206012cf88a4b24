import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { must } from '../rig/run.ts';

/** Where refs are shown to be; `null`: nowhere. */
export type Refs = Readonly<Record<string, string | null>>;

export interface Views {
  view(refs: Refs): Promise<string>;
  snapshot(): Promise<string>;
}

/** Other faces of one repository: real repositories too, that borrow its objects. */
export function makeViews(repository: string, folder: string): Views {
  let count = 0;
  const next = async (kind: string): Promise<string> => {
    await mkdir(folder, { recursive: true });
    count += 1;
    return join(folder, `${kind}-${count}.git`);
  };
  return {
    async view(refs) {
      const place = await next('view');
      const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
      await must('git', ['init', '--quiet', '--bare', '--initial-branch=main', place], { env });
      await writeFile(join(place, 'objects/info/alternates'), `${join(repository, 'objects')}\n`);
      const shown = await must(
        'git',
        ['-C', repository, 'for-each-ref', '--format=%(refname) %(objectname)'],
        {
          env,
        },
      );
      const all = {
        ...Object.fromEntries(shown.split('\n').map((line) => line.split(' '))),
        ...refs,
      } as Refs;
      const lines = Object.entries(all).map(([ref, id]) => (id === null ? '' : `update ${ref} ${id}\n`));
      await must('git', ['-C', place, 'update-ref', '--stdin'], { env, input: lines.join('') });
      return place;
    },
    async snapshot() {
      const place = await next('snapshot');
      await cp(repository, place, { recursive: true });
      return place;
    },
  };
}
