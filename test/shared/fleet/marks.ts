import type { Finding } from '../../../shared/fleet/fleet.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';

/** Everything wrong in a text. */
export function findings(text: string): readonly Finding[] {
  const result = parseFleet(text, { file: 'fleet.yaml', version: '1.4.0' });
  return result.ok ? [] : result.failure;
}

/** A text without its marks, and the places that they marked: every ▸ stands before something wrong. */
export function marked(text: string) {
  const places = text.split('\n').flatMap((line, index) => {
    const pieces = line.split('▸');
    return pieces.slice(1).map((_, mark) => `${index + 1}:${pieces.slice(0, mark + 1).join('').length + 1}`);
  });
  return { text: text.replaceAll('▸', ''), places };
}

export function places(found: readonly Finding[]): readonly string[] {
  return found.map(({ line, column }) => `${line}:${column}`);
}
