import { run, type RanProgram } from './run.ts';
import { program, type World } from './world.ts';

/** A finding as `autark doctor --json` shows it. */
export interface Finding {
  readonly rule: string;
  readonly code: number;
  readonly where: string | null;
  readonly cause: string;
  readonly remedy: string;
}

/** What `autark doctor --json` said. */
export interface Diagnosis {
  readonly code: number | null;
  readonly ok: boolean;
  readonly findings: readonly Finding[];
  /** The finding of a rule; `undefined` when there is none. */
  readonly of: (rule: string) => Finding | undefined;
  /** How a check came out. */
  readonly is: (rule: string) => string | undefined;
}

export interface Look {
  readonly cwd: string;
  readonly root: string;
  /** Put in front of the program, such as `unshare`. */
  readonly before?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs it; a failure when it does not print a diagnosis, and nothing else. */
export async function diagnose(world: World, { cwd, root, before = [], env = {} }: Look): Promise<Diagnosis> {
  const call = [...before, process.execPath, program, 'doctor', '--json', '--root', root];
  return read(await run('env', call, { cwd, env: { ...world.env, ...env } }));
}

function read({ code, stdout, stderr }: RanProgram): Diagnosis {
  if (stderr !== '' || stdout === '') throw new Error(`doctor exited with ${String(code)}: ${stderr}`);
  const { ok, findings, checks } = JSON.parse(stdout) as {
    ok: boolean;
    findings: readonly Finding[];
    checks: readonly { rule: string; is: string }[];
  };
  return {
    ...{ code, ok, findings },
    of: (rule) => findings.find((each) => each.rule === rule),
    is: (rule) => checks.find((each) => each.rule === rule)?.is,
  };
}
