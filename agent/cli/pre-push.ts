import { ok, type Result } from '../../shared/failure.ts';
import type { CloneEditor } from '../clone-ports.ts';
import { quoted } from './shell-word.ts';
import type { Context } from './verb.ts';

/**
 * The pre-push hook: git hands it a line for each ref that is pushed, `LOCAL-REF LOCAL-ID REMOTE-REF REMOTE-ID`, with
 * an id of zeros for what is not there (githooks(5), pre-push). Only what hosts follow is looked at.
 * @param branch the configuration branch, as the server calls it
 * @param program how this very autark is called, where none is on the PATH
 */
export function prePushScript(branch: string, program: readonly string[]): string {
  return `#!/bin/sh
# Installed by autark join: what is pushed for hosts to follow is judged first as they would.
# To push all the same: git push --no-verify
if command -v autark >/dev/null 2>&1; then
  judge() { autark check --quiet "$@"; }
elif [ -e ${quoted(program.at(-1) ?? '')} ]; then
  judge() { ${program.map(quoted).join(' ')} check --quiet "$@"; }
else
  echo "autark is not on the PATH, so nothing was checked; install it, or push with --no-verify" >&2
  exit 1
fi
while read -r _ id ref there; do
  case "$ref" in
    ${quoted(`refs/heads/${branch}`)} | refs/heads/testing/*) ;;
    *) continue ;;
  esac
  case "$id" in
    *[!0]*) ;;
    *)
      case "$ref" in refs/heads/testing/*) continue ;; esac
      echo "this push would remove $ref, which every host follows; to do it all the same: --no-verify" >&2
      exit 1
      ;;
  esac
  floor=
  case "$ref" in
    refs/heads/testing/*) ;;
    *) case "$there" in *[!0]*) floor=--floor=$there ;; esac ;;
  esac
  judge $floor "$id" >&2 || exit 1
done
`;
}

/** Installs it, or says what to add to the hook that is there. */
export async function installPrePush(
  editor: CloneEditor,
  { terminal, program }: Pick<Context, 'terminal' | 'program'>,
): Promise<Result<void>> {
  const { branch, remote } = editor.clone;
  const installed = await editor.installHook('pre-push', prePushScript(remote?.branch ?? branch, program));
  if (!installed.ok) return installed;
  const { path, isOurs } = installed.value;
  if (!isOurs) {
    terminal.note(
      `${path} is not autark's, and is left as it is: have it run \`autark check\` for what is pushed.`,
    );
  }
  return ok(undefined);
}
