import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

/** What may have become of a file that an agent keeps: none of it is the same as nothing being there (P4). */
export const damage: readonly (readonly [what: string, spoil: (path: string) => void])[] = [
  [
    'empty',
    (path) => {
      writeFileSync(path, '');
    },
  ],
  [
    'garbled',
    (path) => {
      writeFileSync(path, '{"format":1');
    },
  ],
  [
    'a folder',
    (path) => {
      mkdirSync(path);
    },
  ],
  [
    'a link that leads nowhere',
    (path) => {
      symlinkSync('nowhere', path);
    },
  ],
  [
    'a link to itself',
    (path) => {
      symlinkSync(basename(path), path);
    },
  ],
];
