const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** How long ago, in the largest unit that fits: `3m ago`; what lies ahead is `now` (clocks differ). */
export function ago(at: number, now: number): string {
  const passed = now - at;
  if (passed < 5000) return 'now';
  for (const unit of ['d', 'h', 'm'] as const) {
    if (passed >= units[unit]) return `${Math.floor(passed / units[unit])}${unit} ago`;
  }
  return `${Math.floor(passed / units.s)}s ago`;
}

/**
 * A moment as a person gives it: `2h` before now, or RFC 3339 (a date alone is its midnight in UTC).
 * @param way what `2h` counts: back into the past, or on into the future
 */
export function moment(text: string, now: number, way: 'back' | 'on' = 'back'): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (count !== undefined && isUnit(unit)) return now + (way === 'on' ? 1 : -1) * Number(count) * units[unit];
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text))
    return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function isUnit(text: string | undefined): text is keyof typeof units {
  return text !== undefined && text in units;
}
