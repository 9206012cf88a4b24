import { sentence, type Failure } from '../failure.ts';
import { version } from '../version.ts';
import { failureOf } from './findings.ts';
import type { Host } from './fleet.ts';
import { parseFleet } from './parse.ts';

/** What lies at a path of the tree: `program` for an executable file; `undefined` for nothing. */
export type Lies = (path: string) => string | undefined;

export interface CheckedFiles {
  /** All of kind `invalid`. */
  readonly findings: readonly Failure[];
  readonly warnings: readonly string[];
}

/**
 * Whether `fleet.yaml` is valid with this tree (21), and what a host would fail at only in its build (30), which is
 * worth a warning.
 * @param text `null` when there is no such file
 * @param first `fleet.yaml` as it was when the fleet was introduced: its id never changes
 */
export function checkFiles(text: string | null, first: string | null, lies: Lies): CheckedFiles {
  if (text === null) return { findings: [noFleet], warnings: [] };
  const parsed = parseFleet(text, { file: 'fleet.yaml', version });
  if (!parsed.ok) return { findings: parsed.failure.map((each) => failureOf([each])), warnings: [] };
  const hosts = [...parsed.value.hosts.values()];
  const unknown = parsed.value.warnings.map(
    ({ cause, line, column }) => `${cause} (fleet.yaml:${line}:${column})`,
  );
  const unbuilt = hosts.flatMap((host) => [
    ...withoutBuild(host, lies),
    ...withoutAgent(host, lies),
    ...withoutSteps(host, lies),
  ]);
  const id = first === null ? undefined : fleetIdIn(first);
  const other = id === undefined || id === parsed.value.fleet ? [] : [otherFleet(parsed.value.fleet, id)];
  return {
    findings: [...other, ...hosts.flatMap((host) => withoutInputs(host, lies))],
    warnings: [...unknown, ...unbuilt.map(sentence)],
  };
}

function fleetIdIn(text: string): string | undefined {
  const parsed = parseFleet(text, { file: 'fleet.yaml', version });
  return parsed.ok ? parsed.value.fleet : undefined;
}

function otherFleet(id: string, first: string): Failure {
  return {
    kind: 'invalid',
    cause: `it is of fleet ${id}, and the fleet was introduced as ${first}: no host would know itself in it`,
    where: 'fleet.yaml, fleet',
    remedy: 'undo the change of `fleet`',
  };
}

function withoutBuild(host: Host, lies: Lies): readonly Failure[] {
  const { system } = host;
  if (system === undefined) return [];
  return system.kind === 'nixos'
    ? withoutFlake(host, system.dir, lies)
    : withoutProgram(host, system.build, lies);
}

function withoutAgent(host: Host, lies: Lies): readonly Failure[] {
  const { agentFile: file } = host;
  if (file === undefined) return [];
  const found = lies(file);
  if (found === 'file' || found === 'program') return [];
  return [names(host, 'agent.file', `${file}, and there is no such file`, 'add it, or correct the path')];
}

function withoutSteps(host: Host, lies: Lies): readonly Failure[] {
  return host.steps.flatMap(({ name, run, files }) => {
    const key = `steps, ${name}`;
    const found = lies(run);
    const program =
      found === 'program'
        ? []
        : found === undefined
          ? [names(host, key, `${run}, and there is no such file`, 'add it, or correct `run`')]
          : [names(host, key, `${run}, which is no executable file`, `run \`chmod +x ${run}\``)];
    const absent = files.filter((path) => lies(path) === undefined);
    const missing = absent.map((path) =>
      names(host, key, `${path}, and there is no such file`, 'add it, or correct `files`'),
    );
    return [...program, ...missing];
  });
}

function withoutFlake(host: Host, dir: string, lies: Lies): readonly Failure[] {
  const below = dir === '.' ? '' : `${dir}/`;
  // The lock is what makes a build the same everywhere: without it Nix would have to write one (S5).
  const absent = ['flake.nix', 'flake.lock'].find((name) => lies(`${below}${name}`) === undefined);
  if (absent === undefined) return [];
  const remedy =
    absent === 'flake.lock' ? 'run `nix flake lock`, and commit the file' : 'add it, or correct `system.dir`';
  return [names(host, 'system.dir', `${below}${absent}, and there is no such file`, remedy)];
}

function withoutProgram(host: Host, build: string, lies: Lies): readonly Failure[] {
  const found = lies(build);
  if (found === 'program') return [];
  return found === undefined
    ? [names(host, 'system.build', `${build}, and there is no such file`, 'add it, or correct the path')]
    : [names(host, 'system.build', `${build}, which is no executable file`, `run \`chmod +x ${build}\``)];
}

function withoutInputs(host: Host, lies: Lies): readonly Failure[] {
  const inputs = host.system?.kind === 'exec' ? (host.system.inputs ?? []) : [];
  const absent = inputs.filter((path) => lies(path) === undefined);
  return absent.map((path) =>
    names(host, 'system.inputs', `${path}, and there is no such file`, 'add it, or correct the path'),
  );
}

function names({ name }: Host, key: string, what: string, remedy: string): Failure {
  const where = `fleet.yaml, hosts.${name}.${key}`;
  return { kind: 'invalid', cause: `${name} needs ${what}`, where, remedy };
}

const noFleet: Failure = {
  kind: 'invalid',
  cause: 'there is no fleet.yaml',
  where: 'fleet.yaml',
  remedy: 'bring it back: `git log --diff-filter=D -- fleet.yaml` shows where it was removed',
};
