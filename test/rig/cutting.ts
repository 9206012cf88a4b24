import { execHost } from './exec-system.ts';

/**
 * An exec host whose activation takes the served repository away once, when its root has a file `cut`, and gives it back
 * with the next one unless there is a file `lost`.
 */
export function cutting(motd: string, remote: string) {
  const files = execHost('web1', motd);
  const build = files['hosts/web1/build'];
  if (typeof build !== 'object' || build === null || !('executable' in build))
    throw new Error('no build program');
  const lines = [
    `if test -e "$AUTARK_ROOT/cut"; then rm "$AUTARK_ROOT/cut"; mv '${remote}' '${remote}.away'`,
    `elif test -e '${remote}.away' && test ! -e "$AUTARK_ROOT/lost"; then mv '${remote}.away' '${remote}'; fi`,
  ];
  const executable = build.executable.replace('\nEND\n', `\n${lines.join('\n')}\nEND\n`);
  return { ...files, 'hosts/web1/build': { executable } };
}
