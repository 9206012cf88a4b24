import { fail, ok } from '../../../shared/failure.ts';
import type { Disks } from '../../disk-ports.ts';

/** Below `--root`, where no disk is named, there is none: those of the machine are another host's business. */
export function noDisks(): Disks {
  return {
    glance: () => Promise.resolve(''),
    inventory: () => Promise.resolve(ok([])),
    examine: (where) =>
      Promise.resolve(
        fail({
          kind: 'unexpected',
          cause: 'there is no such disk: below --root, none is looked at',
          where,
          remedy: 'run it as root on the machine itself',
        }),
      ),
    backups: () => Promise.resolve(ok({ backups: [], problems: [] })),
  };
}
