import { isMap, isScalar, isSeq, type Document, type Pair } from 'yaml';
import type { StepApproval } from '../disk/approval.ts';
import type { Result } from '../failure.ts';
import { rewrite } from './entry.ts';
import { appendTo, replaceValue, type Content, type Pairs, type Splice } from './splice.ts';
import { below, textOf, treeOf, withEntry, type MapTree, type Tree } from './tree.ts';

/** Writes an approval below a step of a host's own, in the place of an older one. All else stays, byte for byte. */
export function approveStep(
  text: string,
  host: string,
  step: string,
  approval: StepApproval,
): Result<string> {
  return rewrite(text, ['hosts', host], {
    edits: (document) => edits(text, stepIn(document, host, step), { approved: approval }),
    entry: (file) => withApproval(file, host, step, treeOf(approval)),
    byHand: { steps: [{ name: step, approved: approval }] },
  });
}

function edits(text: string, step: Pairs | undefined, content: Content): readonly Splice[] {
  if (step === undefined) return [];
  const old = pairOf(step, 'approved');
  return old === undefined
    ? appendTo(text, step, content, 2, 0)
    : [replaceValue(text, old, content['approved'])];
}

/** `undefined` where it stands elsewhere, behind an alias for example: that is left to a person. */
function stepIn({ contents }: Document.Parsed, host: string, step: string): Pairs | undefined {
  const entry = ['hosts', host].reduce<unknown>(
    (map, name) => (isMap(map) ? pairOf(map, name)?.value : undefined),
    contents,
  );
  const steps = isMap(entry) ? pairOf(entry, 'steps')?.value : undefined;
  if (!isSeq(steps)) return undefined;
  return steps.items.find((item): item is Pairs => {
    const name = isMap(item) ? pairOf(item, 'name')?.value : undefined;
    return isScalar(name) && name.value === step;
  });
}

function pairOf(map: Pairs, name: string): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && key.value === name);
}

/** What the host's entry says afterwards. */
function withApproval(file: MapTree, host: string, step: string, approved: Tree): MapTree {
  const entry = below(below(file, 'hosts'), host);
  const nothing: MapTree = { kind: 'map', start: 0, entries: new Map() };
  const map = entry?.kind === 'map' ? entry : nothing;
  const steps = below(map, 'steps');
  if (steps?.kind !== 'list') return map;
  const items = steps.items.map((item) =>
    item.kind === 'map' && textOf(below(item, 'name')) === step
      ? withEntry(item, 'approved', approved)
      : item,
  );
  return withEntry(map, 'steps', { ...steps, items });
}

/** Whether a host's step is declared below the host itself: an approval fits one machine alone. */
export function isOwnStep(file: MapTree, host: string, step: string): boolean {
  const steps = below(below(below(file, 'hosts'), host), 'steps');
  return steps?.kind === 'list' && steps.items.some((item) => textOf(below(item, 'name')) === step);
}
