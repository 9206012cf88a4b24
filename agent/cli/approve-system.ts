import { fail, ok, type Result } from '../../shared/failure.ts';
import type { Host, SystemSource } from '../../shared/fleet/fleet.ts';
import type { Enrolment } from '../../shared/record/enrolment.ts';
import type { Clone } from '../clone-ports.ts';
import { usage, type Arguments } from './verb.ts';

/** The `system` that the options of `approve` and `invite` ask for; `undefined` when they leave it open. */
export function declaredSystem(
  host: string,
  args: Arguments,
  verb: string,
): Result<SystemSource | undefined> {
  const [kind, attr, build] = [args.text('system'), args.text('attr'), args.text('build')];
  if (attr !== undefined && (build !== undefined || kind === 'exec')) {
    return fail(usage(verb, '--attr is for nixos and --build for exec'));
  }
  if (build !== undefined && kind === 'nixos') return fail(usage(verb, '--build is for exec, not for nixos'));
  if (kind === 'nixos' || attr !== undefined) return ok({ kind: 'nixos', attr: attr ?? host, dir: '.' });
  if (build !== undefined) return ok({ kind: 'exec', build });
  return kind === undefined ? ok(undefined) : fail(usage(verb, ...withoutProgram(host)));
}

/**
 * The `system` to write: what the options say; nothing when the entry has one already; else what the machine
 * is. An exec system needs its build program named.
 */
export function systemFor(
  entry: Host | undefined,
  { host, status }: Pick<Enrolment, 'host' | 'status'>,
  args: Arguments,
): Result<SystemSource | undefined> {
  const declared = declaredSystem(host, args, 'approve');
  if (!declared.ok || declared.value !== undefined || entry?.system !== undefined) return declared;
  const isNixos = /\bnixos\b/i.test(status.machine.os);
  return isNixos
    ? ok({ kind: 'nixos', attr: host, dir: '.' })
    : fail(usage('approve', ...withoutProgram(host)));
}

/**
 * What to do besides pushing the approval, when the build program is not committed yet: its host would fail at it (30).
 * `null` when it is there, or when none was named.
 */
export async function missingProgram(
  { head, read }: Pick<Clone, 'head' | 'read'>,
  host: string,
  args: Arguments,
): Promise<string | null> {
  const build = args.text('build');
  if (build === undefined) return null;
  const name = `${head ?? ''}:${build}`;
  const found = await read([name]);
  if (!found.ok || found.value.has(name)) return null;
  return `${build} is not committed yet, and ${host} builds nothing without it: add it, executable, and push it as well.`;
}

function withoutProgram(host: string): readonly [cause: string, hint: string] {
  return [
    `${host} is not a NixOS machine, so its build program is needed`,
    'name it with --build FILE, a path in the repository',
  ];
}
