import { diagnosisOf, lineOf, summaryOf, type Checked } from '../../shared/doctor/checked.ts';
import { fail, ok, type Failure, type Result } from '../../shared/failure.ts';
import type { Bench } from './doctor-bench.ts';
import { checkClone, isOfFleet } from './doctor-clone.ts';
import { checkHost } from './doctor-host.ts';
import type { Act, Context } from './verb.ts';

/** What is looked at, under what heading. */
interface Patient {
  readonly name: string;
  readonly checks: readonly Checked[];
}

/**
 * `autark doctor`: looks at the host below `--root`, at the clone around the current directory, or at both, whichever
 * is there. Exits with the code of the first thing to mend, as `verify` does.
 */
export const doctor: Act = async (args, context) => {
  const [host, clone] = await Promise.all([hostHere(context), cloneHere(context)]);
  if (context.signal.aborted) return fail(interrupted);
  const patients = [host, ...(clone.ok ? [clone.value] : [])].filter((each) => each !== null);
  if (patients.length === 0) return fail(nothingHere(context.root, clone.ok ? notOfFleet : clone.failure));
  const checks = patients.flatMap((patient) => patient.checks);
  const { ok: isWell, code, findings } = diagnosisOf(checks);
  const { terminal } = context;
  if (args.flag('json')) {
    const made = checks.map(({ rule, is, ...more }) => ({ rule, is, ...('says' in more ? more : {}) }));
    terminal.out(JSON.stringify({ format: 1, ok: isWell, findings, checks: made }, null, 2));
  } else {
    terminal.out([...patients.flatMap(paragraph), summaryOf(checks)].join('\n'));
  }
  return ok(code);
};

function paragraph({ name, checks }: Patient): readonly string[] {
  return [name, ...checks.map((each) => `  ${lineOf(each)}`)];
}

async function hostHere(context: Context): Promise<Patient | null> {
  const probe = await context.roles.hostProbe(context.root);
  const settings = await probe.settings();
  if (settings.ok && settings.value === null) return null;
  const named = settings.ok ? ` ${settings.value?.host ?? ''}` : '';
  const checks = await checkHost(probe, settings, benchOf(context));
  return { name: `host${named} below ${context.root}`, checks };
}

async function cloneHere(context: Context): Promise<Result<Patient | null>> {
  const bench = benchOf(context);
  const probe = await context.roles.cloneProbe(bench.signal);
  if (!probe.ok) return probe;
  if (!(await isOfFleet(probe.value))) return ok(null);
  const checks = await checkClone(probe.value, bench);
  return ok({ name: `clone ${probe.value.clone.root}`, checks });
}

/** A signal of its own for each patient: many programs at a time listen to it. */
function benchOf({ now, signal }: Context): Bench {
  return { now, signal: AbortSignal.any([signal]) };
}

/** What is said of it is the signal's exit code. */
const interrupted: Failure = { kind: 'unexpected', cause: 'doctor was interrupted', remedy: 'run it again' };

const notOfFleet: Pick<Failure, 'cause' | 'remedy'> = {
  cause: 'the checked-out commit has neither fleet.yaml nor allowed_signers',
  remedy: 'go to your clone of the fleet repository, or run `autark init` in a new one',
};

function nothingHere(root: string, { cause, remedy }: Pick<Failure, 'cause' | 'remedy'>): Failure {
  return {
    kind: 'usage',
    cause: `here is no host (no agent.yaml), and no clone of a fleet: ${cause}`,
    where: `${root === '/' ? '' : root}/etc/autark/agent.yaml`,
    remedy: `for a host run \`autark enroll\` first, or name its folder with --root; for a clone ${remedy}`,
  };
}
