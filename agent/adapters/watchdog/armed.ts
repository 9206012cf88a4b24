import type { Watch } from '../../unit-ports.ts';

/**
 * `watchdog/armed`: what systemd/autark-go-back reads, as assignments of the shell (POSIX.1, 2.9.1). One writer, the
 * agent; no value comes from the configuration unquoted.
 * @param profile the system profile, absolute
 * @param path where the programs are that the script calls
 */
export function armedText(watch: Watch, profile: string, path: string): string {
  const { generation, back, mode, deadline, timeout } = watch;
  const values = {
    NEW: String(generation),
    BACK: back.number === null ? 'none' : String(back.number),
    KIND: back.kind,
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
