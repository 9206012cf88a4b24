import { join } from 'node:path';
import { passedOn } from '../passed-on.ts';
import { gitConfigFile } from './credentials.ts';

/**
 * Which store and daemon it is, where the machine's own nix.conf is, and where builds have their temporary files; and the
 * registry of npm, which nix/npm-tarball.nix asks for.
 */
const ofNix = [
  'TMPDIR',
  'NIX_REMOTE',
  'NIX_DAEMON_SOCKET_PATH',
  'NIX_STORE_DIR',
  'NIX_STATE_DIR',
  'NIX_LOG_DIR',
  'NIX_CONF_DIR',
  'NIX_SSL_CERT_FILE',
  'npm_config_registry',
] as const;

/**
 * The whole environment of every Nix, and so of the git and ssh that it starts for inputs: nobody's configuration but
 * the machine's own nix.conf, no prompts, and what opens private inputs in files, never in arguments.
 * @param home the folder that is Nix's own: its caches, and the files of credentials.ts
 */
export function nixEnvironment(
  home: string,
  sshCommand: string,
  from: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return {
    ...passedOn(from, ofNix),
    HOME: home,
    NIX_USER_CONF_FILES: join(home, 'nix.conf'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(home, gitConfigFile),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_SSH_COMMAND: sshCommand,
    SSH_ASKPASS_REQUIRE: 'never',
    LC_ALL: 'C',
    TERM: 'dumb',
  };
}
