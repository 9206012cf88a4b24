import * as v from 'valibot';

/** `nix build --json` (Nix manual): one installable; other keys come and go between versions. */
const schema = v.strictTuple([
  v.object({ outputs: v.object({ out: v.pipe(v.string(), v.startsWith('/')) }) }),
]);

/** The store path that a build printed; `null` when it printed anything else. */
export function builtPath(stdout: string): string | null {
  try {
    const parsed = v.safeParse(schema, JSON.parse(stdout));
    return parsed.success ? parsed.output[0].outputs.out : null;
  } catch {
    return null;
  }
}
