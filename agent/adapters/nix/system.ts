import { constants } from 'node:fs';
import { access, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { agentUnit, parseInhibitors, type SystemFacts } from '../../../shared/nix/system.ts';
import { errorCode } from '../file-failure.ts';

const activation = 'bin/switch-to-configuration';

/** Reads what a NixOS system says of itself; what cannot be read is a flaw, never an absence (P4). */
export async function inspectSystem(path: string): Promise<SystemFacts> {
  const inhibitors = await inhibitorsOf(path);
  const flaw =
    inhibitors === null ? 'its switch-inhibitors cannot be read' : await flawOf(join(path, activation));
  return {
    flaw,
    hasAgent: await isThere(join(path, 'etc/systemd/system', agentUnit)),
    inhibitors: inhibitors ?? {},
  };
}

async function inhibitorsOf(path: string): Promise<Readonly<Record<string, string>> | null> {
  try {
    return parseInhibitors(await readFile(join(path, 'switch-inhibitors'), 'utf8'));
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? {} : null;
  }
}

async function flawOf(program: string): Promise<string | null> {
  try {
    if (!(await stat(program)).isFile()) return `${activation} is not a file`;
    await access(program, constants.X_OK);
    return null;
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? `there is no ${activation}` : `${activation} is not executable`;
  }
}

function isThere(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false,
  );
}
