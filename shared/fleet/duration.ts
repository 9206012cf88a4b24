/** Milliseconds in each unit, the largest first: the order in which `formatDuration` tries them. */
const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

/** A whole number above 0 and a unit: `500ms`, `30s`, `5m`, `2h`, `7d`. */
export const durationPattern = /^[1-9][0-9]{0,11}(?:ms|s|m|h|d)$/;

/**
 * `date-time` of RFC 3339, section 5.6, with one freedom: the seconds may be left out, as people do by hand.
 */
export const timePattern =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?([Zz]|[+-][0-9]{2}:[0-9]{2})$/;

/** Milliseconds; `undefined` when the text is no duration, or one too long to count exactly. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  const unit = text.replace(/^[0-9]+/, '');
  const factor = units.find(([name]) => name === unit)?.[1] ?? 1;
  const milliseconds = Number.parseInt(text, 10) * factor;
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
}

/**
 * The text for a whole number of milliseconds above 0, in the largest unit that divides it: `parseDuration`
 * reads the same number back.
 */
export function formatDuration(milliseconds: number): string {
  const [unit, factor] = units.find(([, size]) => milliseconds % size === 0) ?? (['ms', 1] as const);
  return `${milliseconds / factor}${unit}`;
}

/**
 * Milliseconds since the epoch; `undefined` when the text is no RFC 3339 time or names a day or an hour that
 * does not exist. Digits below milliseconds are dropped; a leap second is the first of the next minute.
 */
export function parseTime(text: string): number | undefined {
  const parts = timePattern.exec(text);
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part: string | undefined) => Number(part ?? 0));
  const offset = offsetMinutes(parts[8] ?? '');
  if (hour > 23 || minute > 59 || second > 60 || offset === undefined) return undefined;
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const fraction = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'));
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + fraction;
}

function offsetMinutes(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(4, 6));
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
