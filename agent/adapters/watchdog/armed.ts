import type { Watch } from '../../unit-ports.ts';

export interface ArmedPlace {
  /** The system profile, absolute. */
  readonly profile: string;
  /** Where the programs are that the script calls: a `PATH`. */
  readonly path: string;
  /** The boot in which it is armed: another one has to decide anew. */
  readonly boot: string;
  /** How the agent is called: it brings the secrets of the generation back that is gone back to. */
  readonly program: readonly string[];
}

/**
 * `watchdog/armed`: what systemd/autark-go-back reads, as assignments of the shell (POSIX.1, 2.9.1). One writer, the
 * agent; no value comes from the configuration unquoted.
 */
export function armedText(watch: Watch, { profile, path, boot, program }: ArmedPlace): string {
  const { generation, back, mode, deadline, timeout } = watch;
  const values = {
    NEW: String(generation),
    BACK: back.number === null ? 'none' : String(back.number),
    KIND: back.kind,
    AGENT: back.agent ?? '',
    SYSTEM: back.path,
    PROFILE: profile,
    MODE: mode,
    CWD: back.cwd,
    ENVIRONMENT: Object.entries(back.env)
      .map(([name, value]) => `${name}=${value}`)
      .join(' '),
    SECONDS_LEFT: seconds(deadline),
    TIMEOUT: seconds(timeout),
    PATH: path,
    BOOT: boot,
    // Words of the shell: read once more by `eval`.
    PROGRAM: program.map(quoted).join(' '),
  };
  const lines = Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`);
  return `${lines.join('\n')}\n`;
}

function seconds(ms: number): string {
  return String(Math.max(1, Math.ceil(ms / 1000)));
}

/** In single quotes nothing has a meaning (POSIX.1, 2.2.2). */
function quoted(value: string): string {
  return `'${value.replaceAll("'", "'\\''")}'`;
}
