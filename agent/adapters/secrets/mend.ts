import { fileFailure } from '../file-failure.ts';
import { placedNumber, type Layout } from './layout.ts';
import type { LinksOptions } from './link-steps.ts';
import { areLinked, linkSentence, linksOf, placeLinks } from './links.ts';
import { giveNoted, hasNoted, type OwnersOptions } from './owners.ts';

/** As `SecretStore.mend` has it, for the set that is placed. */
export async function mendPlaced(options: LinksOptions & OwnersOptions): Promise<readonly string[]> {
  const { layout } = options;
  try {
    const number = await placedNumber(layout);
    if (number === null) return [];
    const left = await giveNoted(options, number);
    const linked = await placeLinks(options, await linksOf(layout, number));
    return [...left, ...(linked.ok ? linked.value : [linkSentence(linked.failure)])];
  } catch (error) {
    const { cause } = fileFailure(error, 'give secrets to their owners', layout.store);
    return [cause];
  }
}

/** As `SecretStore.owesMending` has it. */
export async function owesMending(layout: Layout): Promise<boolean> {
  try {
    const number = await placedNumber(layout);
    if (number === null) return false;
    return (await hasNoted(layout, number)) || !(await areLinked(layout, await linksOf(layout, number)));
  } catch {
    // Mending says what is in the way.
    return true;
  }
}
