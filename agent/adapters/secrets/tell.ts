import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Failure, type Result } from '../../../shared/failure.ts';
import { mergeTellings, parseTellings, tellText, type Telling } from '../../../shared/secrets/place-plan.ts';
import type { Placing } from '../../../shared/secrets/secret.ts';
import { errorCode } from '../file-failure.ts';
import { askSystemd } from '../systemd.ts';
import { aboutOf, placedNumber, type Layout } from './layout.ts';

/**
 * Adds to what units have yet to be told. In memory: a reboot tells everybody. What another set left goes, where this one
 * declares it no more: the name of a unit that is mended by now must not fail the switch. Throws the system's error.
 */
export async function noteTellings(
  layout: Layout,
  more: readonly Telling[],
  declared: readonly Pick<Placing, 'restart' | 'reload'>[],
): Promise<void> {
  const left = (await readTellings(layout)).filter(({ unit, action }) =>
    declared.some((each) => each[action].includes(unit)),
  );
  await writeTellings(layout, mergeTellings([...left, ...more]));
}

/** Whether a unit has yet to be told. */
export async function hasTellings(layout: Layout): Promise<boolean> {
  return (await readTellings(layout)).length > 0;
}

/** Notes beside a set which units it names, for the set that comes after it. Throws the system's error. */
export async function noteNamed(layout: Layout, number: number, all: readonly Telling[]): Promise<void> {
  await writeFile(join(aboutOf(layout, number), 'units'), tellText(all), { mode: 0o600 });
}

/** The units that a set names; `null` where that was not noted, as by older agents. */
export async function namedIn(layout: Layout, number: number): Promise<readonly Telling[] | null> {
  const text = await readFile(join(aboutOf(layout, number), 'units'), 'utf8').catch(() => null);
  return text === null ? null : parseTellings(text);
}

async function readTellings({ tell }: Layout): Promise<readonly Telling[]> {
  try {
    return parseTellings(await readFile(tell, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function writeTellings({ tell }: Layout, all: readonly Telling[]): Promise<void> {
  if (all.length === 0) {
    await rm(tell, { force: true });
    return;
  }
  await writeFile(`${tell}.part`, tellText(all), { mode: 0o600 });
  await rename(`${tell}.part`, tell);
}

/**
 * Tells all units that are noted, each kind with one call. What is told is forgotten, also where systemd then complains:
 * a unit that fails by its new value is found by the checks of the machine's health. Throws the system's error.
 */
export async function tellNoted(
  layout: Layout,
  env: Readonly<Record<string, string>>,
): Promise<Result<void>> {
  const noted = await readTellings(layout);
  if (noted.length === 0) return ok(undefined);
  const units = noted.map(({ unit }) => unit);
  const asked = await askSystemd('systemctl', ['show', `--property=${properties}`, '--', ...units], env);
  if (!asked.ok) return fail(unanswered(asked.failure));
  const blocks = asked.value.split(/\n\n+/).map(propertiesIn);
  const swapped = await swappedAt(layout);
  const due = noted.filter(({ isOnlyNamed }, index) => {
    const block = blocks[index] ?? {};
    return isOnlyNamed !== true && block['LoadState'] !== 'not-found' && !(startedAt(block) > swapped);
  });
  const said = [
    ...(await call('try-restart', 'restart', due, env)),
    ...(await call('try-reload-or-restart', 'reload', due, env)),
  ];
  await writeTellings(layout, []);
  const unknown = noted.find((_, index) => blocks[index]?.['LoadState'] === 'not-found');
  if (unknown !== undefined) return fail(unknownUnit(unknown));
  return said[0] === undefined ? ok(undefined) : fail(refused(said[0]));
}

/**
 * When a unit was begun, not when it was ready: what it read in between may be the old value. One that is started again
 * by itself keeps the time of its first start, and is told once too often rather than never.
 */
const properties = 'LoadState,InactiveExitTimestampMonotonic';

function startedAt(block: Readonly<Record<string, string>>): number {
  return Number(block['InactiveExitTimestampMonotonic'] ?? 0);
}

function propertiesIn(block: string): Readonly<Record<string, string>> {
  const lines = block.split('\n').map((line) => line.split('='));
  return Object.fromEntries(lines.map(([name = '', ...value]) => [name, value.join('=')]));
}

/** When the set that is placed was swapped in; a crash before that was noted spares nobody. */
async function swappedAt(layout: Layout): Promise<number> {
  const number = await placedNumber(layout);
  const text =
    number === null ? '' : await readFile(join(aboutOf(layout, number), 'swapped'), 'utf8').catch(() => '');
  return text === '' ? Number.POSITIVE_INFINITY : Number(text);
}

/** Milliseconds: units that start are waited for, and systemd itself bounds each of them. */
const patience = 300_000;

async function call(
  verb: string,
  action: Telling['action'],
  due: readonly Telling[],
  env: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const units = due.filter((each) => each.action === action).map(({ unit }) => unit);
  if (units.length === 0) return [];
  const called = await askSystemd('systemctl', [verb, '--', ...units], env, patience);
  return called.ok ? [] : [called.failure];
}

function unknownUnit({ unit, secret, action }: Telling): Failure {
  return {
    kind: 'switch-failed',
    cause: `the secret ${secret} is to ${action} ${unit}, which this machine does not know`,
    where: `fleet.yaml: secrets.${secret}.${action}`,
    remedy: 'correct the name of the unit there, or have this system bring that unit',
  };
}

function refused(said: string): Failure {
  return {
    kind: 'switch-failed',
    cause: `a unit did not take its new secret: ${said}`,
    remedy: 'look with `systemctl status` and `journalctl -u` of that unit',
  };
}

function unanswered(said: string): Failure {
  return {
    kind: 'unexpected',
    cause: `units could not be told of new secrets: ${said}`,
    remedy: 'look with `systemctl status`; the agent tries again by itself',
  };
}
