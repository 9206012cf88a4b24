const day = 24 * 3_600_000;
const year = 365 * day;

/**
 * What is odd about a clock beside the date of the newest revision; `undefined` when nothing is. Only said, never
 * acted upon: either of them may be wrong, and dates decide nothing (S3, P4).
 * @param now milliseconds since the epoch
 * @param committed the revision's committer date, in seconds since the epoch
 */
export function clockProblem(now: number, committed: number): string | undefined {
  const ahead = now - committed * 1000;
  if (ahead < -day) return `the clock is ${inWords(-ahead)} behind the newest revision; ${advice}`;
  if (ahead > 10 * year) return `the clock is ${inWords(ahead)} ahead of the newest revision; ${advice}`;
  return undefined;
}

const advice = 'set it (timedatectl), or the times of this host’s records and pauses mean nothing';

function inWords(ms: number): string {
  return ms < year ? `${Math.round(ms / day)} days` : `${Math.round(ms / year)} years`;
}
