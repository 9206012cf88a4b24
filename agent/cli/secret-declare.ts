import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Fleet } from '../../shared/fleet/fleet.ts';
import type { SecretEntry } from '../../shared/fleet/schema.ts';
import type { Secret } from '../../shared/secrets/secret.ts';
import { sealedFiles, type SealedFile } from '../../shared/secrets/sealed.ts';
import { fleetFile } from './editing.ts';
import { usage, type Arguments } from './verb.ts';

/** What the options declare. Lists that are given take the place of those that are there. */
export function declarationOf(args: Arguments, fleet: Fleet, name: string): SecretEntry {
  const hosts = hasEach(args, fleet.secrets.get(name)) ? [] : args.texts('host');
  const groups = args.texts('group');
  const [owner, group] = (args.text('owner') ?? '').split(':');
  const [mode, path] = [args.text('mode'), args.text('path')];
  const [restart, reload] = [args.texts('restart'), args.texts('reload')];
  return {
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    ...(hosts.length === 0 ? {} : { hosts: [...hosts] }),
    ...(owner === undefined || owner === '' ? {} : { owner }),
    ...(group === undefined || group === '' ? {} : { group }),
    ...(mode === undefined ? {} : { mode }),
    ...(path === undefined ? {} : { path }),
    ...(restart.length === 0 ? {} : { restart: [...restart] }),
    ...(reload.length === 0 ? {} : { reload: [...reload] }),
    ...(args.flag('each') ? { each: true } : {}),
    ...(args.flag('early') ? { early: true } : {}),
  };
}

/**
 * Where each host has its own value, `--host` says whose it is; and it declares that host, if it does not get the secret by
 * one of its groups, or already.
 */
export function alsoFor(args: Arguments, fleet: Fleet, name: string): readonly string[] {
  const before = fleet.secrets.get(name);
  if (!hasEach(args, before)) return [];
  const groups = args.texts('group');
  const isIn = (host: string) =>
    before?.hosts.includes(host) === true ||
    fleet.hosts.get(host)?.groups.some((each) => groups.includes(each)) === true;
  return args.texts('host').filter((host) => !isIn(host));
}

function hasEach(args: Arguments, before: Secret | undefined): boolean {
  return before?.each === true || args.flag('each');
}

/** The one file whose value is meant. */
export function fileFor(args: Arguments, fleet: Fleet, name: string): Result<SealedFile> {
  const secret = fleet.secrets.get(name);
  if (secret === undefined) return fail(undeclared(name));
  const files = sealedFiles(fleet).filter((file) => file.secret === name);
  if (!secret.each) return only(files, name);
  const [host, ...others] = args.texts('host');
  if (host === undefined || others.length > 0)
    return fail(usage('secret', `each host has its own value of ${name}: name one with --host`));
  return only(
    files.filter((file) => file.host === host),
    `${name} for ${host}`,
  );
}

function only([file]: readonly SealedFile[], what: string): Result<SealedFile> {
  if (file !== undefined) return ok(file);
  return fail({
    kind: 'unexpected',
    cause: `no host gets ${what}`,
    where: `${fleetFile}, secrets`,
    remedy: 'say which ones with --host or --group',
  });
}

export function undeclared(name: string): Failure {
  return {
    kind: 'unexpected',
    cause: `no secret is called ${name}`,
    where: `${fleetFile}, secrets`,
    remedy:
      '`autark secret list` lists them all; a new one is made by `autark secret set` with --host or --group',
  };
}
