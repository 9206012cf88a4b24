import { expect } from 'vitest';
import { newest, type Files, type StateCommit } from './fleet.ts';
import type { NixosFleet } from './nix.ts';
import type { RanProgram } from './run.ts';

export interface RefusedNixos {
  readonly revision: string;
  readonly ran: RanProgram;
  readonly record: StateCommit;
}

/** A change on top of a good revision. */
export interface BadRevision {
  readonly good: string;
  readonly files: Files;
  readonly env?: Readonly<Record<string, string>>;
}

/** What nobody may have touched when a build came to nothing: what runs, what would boot, roots and generations. */
export function untouched({ host }: NixosFleet): readonly unknown[] {
  return [host.running(), host.profile(), host.current(), host.state('systems'), host.state('generations')];
}

/** Pushes a revision that must not get further than its build, and expects it to be recorded as such. */
export async function refusedNixos(
  fleet: NixosFleet,
  { good, files, env = {} }: BadRevision,
  code: number,
): Promise<RefusedNixos> {
  const { host, server } = fleet;
  const before = untouched(fleet);
  const revision = await server.commit({ tree: good, files });
  const ran = await host.agent({ env });
  expect(ran.code, ran.stderr).toBe(code);
  expect(untouched(fleet), ran.stderr).toEqual(before);
  const record = await newest(host);
  const { outcome } = record.status;
  expect(outcome).toMatchObject({ event: 'failed', code, attempted: revision, phase: 'build' });
  expect(outcome.remedy).toMatch(/\S/);
  return { revision, ran, record };
}

/** The same for a fault of the world: nothing is recorded, and the revision is not held to be bad. */
export async function failedByWorld(
  fleet: NixosFleet,
  env: Readonly<Record<string, string>>,
  code: number,
): Promise<RanProgram> {
  const [before, { status }] = [untouched(fleet), await newest(fleet.host)];
  const ran = await fleet.host.agent({ env });
  expect(ran.code, ran.stderr).toBe(code);
  expect(untouched(fleet), ran.stderr).toEqual(before);
  expect((await newest(fleet.host)).status).toEqual(status);
  return ran;
}

/** A flake whose one system is this expression of Nix, which may use `make NAME SCRIPT` and `inputs`. */
export function flakeOf(system: string, inputs = ''): string {
  return `{
  ${inputs}
  outputs = { self, ... }@inputs: let
    make = name: script: derivation {
      inherit name;
      system = builtins.currentSystem or "x86_64-linux";
      builder = "/bin/sh";
      PATH = "/usr/bin:/bin";
      args = [ "-euc" script ];
    };
  in {
    nixosConfigurations.web1.config.system.build.toplevel = ${system};
  };
}
`;
}
