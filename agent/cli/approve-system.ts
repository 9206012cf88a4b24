import { fail, ok, type Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import type { Enrolment } from '../../shared/record/enrolment.ts';
import { usage, type Arguments } from './verb.ts';

/**
 * The `system` to write: what the options say; nothing when the entry has one already; else what the machine
 * is. An exec system needs its build program named.
 */
export function systemFor(
  entry: Host | undefined,
  { host, status }: Pick<Enrolment, 'host' | 'status'>,
  args: Arguments,
): Result<SystemSource | undefined> {
  const [kind, attr, build] = [args.text('system'), args.text('attr'), args.text('build')];
  if (attr !== undefined && (build !== undefined || kind === 'exec')) {
    return fail(usage('approve', '--attr is for nixos and --build for exec'));
  }
  if (build !== undefined && kind === 'nixos')
    return fail(usage('approve', '--build is for exec, not for nixos'));
  if (kind === undefined && attr === undefined && build === undefined && entry?.system !== undefined)
    return ok(undefined);
  const isNixos = kind === 'nixos' || attr !== undefined;
  if (isNixos || (kind === undefined && build === undefined && /\bnixos\b/i.test(status.machine.os))) {
    return ok({ kind: 'nixos', attr: attr ?? host, dir: '.' });
  }
  if (build === undefined) {
    return fail(
      usage(
        'approve',
        `${host} is not a NixOS machine, so its build program is needed`,
        'name it with --build FILE, a path in the repository',
      ),
    );
  }
  return ok({ kind: 'exec', build });
}
