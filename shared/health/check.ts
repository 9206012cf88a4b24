import * as v from 'valibot';

/** What a health check looks at: just one of these. */
export const healthKinds = ['http', 'tcp', 'unit', 'command'] as const;

/** One declared health check, with its defaults filled in. Waits are milliseconds. */
export interface Check {
  readonly kind: (typeof healthKinds)[number];
  /** An address, `HOST:PORT`, the name of a unit, or a program's path in the tree. */
  readonly target: string;
  /** For each single try. */
  readonly timeout: number;
  /** Tries after the first one. */
  readonly retries: number;
  /** How long it must stay good once it is. */
  readonly soak: number;
}

/** What one try of a check saw; `seen` follows the check's name in a sentence: `answered with status 500`. */
export interface Sight {
  readonly good: boolean;
  readonly seen: string;
  /** The end of a command's output. */
  readonly detail?: string;
}

const wait = v.pipe(v.number(), v.finite(), v.minValue(0));

/** As it stands in `journal.json`. */
export const checkSchema = v.object({
  kind: v.picklist(healthKinds),
  target: v.string(),
  timeout: wait,
  retries: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  soak: wait,
});

/** Such as `tcp 127.0.0.1:80`. */
export function nameOf({ kind, target }: Check): string {
  return `${kind} ${target}`;
}
