import { existsSync, readFileSync } from 'node:fs';
import { buildScript } from './exec-system.ts';
import type { FleetHost } from './fleet.ts';
import type { FileChange } from './world.ts';

/**
 * The usual build, which notes when another one still runs. Zombies do not: where process 1 is lazy, whoever was
 * orphaned stays one.
 * @param work shell lines, such as what makes it slow
 */
export function watchfulBuild(work: string): Exclude<FileChange, string | null> {
  const lines = [
    'busy="$AUTARK_ROOT/busy"',
    'if [ -e "$busy" ]; then',
    '  state=$(cut -d" " -f3 "/proc/$(cat "$busy")/stat" 2>/dev/null || echo gone)',
    '  case $state in gone | Z | X) ;; *) echo "$state $AUTARK_REVISION" >>"$AUTARK_ROOT/overlaps" ;; esac',
    'fi',
    'echo $$ >"$busy.new"',
    'mv "$busy.new" "$busy"',
    '',
  ].join('\n');
  return { executable: buildScript.replace('set -eu\n', () => `set -eu\n${lines}${work}`) };
}

/** What the builds noted. */
export function overlaps(host: FleetHost): readonly string[] {
  const file = host.path('overlaps');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
}
