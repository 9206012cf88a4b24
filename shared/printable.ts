/**
 * Terminal escape sequences (ECMA-48: CSI, and strings such as OSC up to their terminator), whole, so that
 * what is left reads as text. A string without terminator goes up to the end of its line.
 */
const escapes = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b\n]*(?:\u0007|\u001b\\)?|[ -/]*[0-~])/g;

/**
 * C0 but tab and newline, DEL and C1; the Unicode controls that reorder or hide text (bidirectional, zero
 * width, byte order mark, line and paragraph separators, tags); lone surrogates.
 */
const controls =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}\ud800-\udfff]/gu;

/** Text from outside, made safe to show and to store: no control characters but tab and newline. */
export function printable(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(escapes, '').replace(controls, '');
}

/** The same on one line: every run of blanks and line ends becomes one space. */
export function oneLine(text: string): string {
  return printable(text.replace(/\r/g, '\n')).replace(/\s+/g, ' ').trim();
}

/**
 * JSON in which strings from outside say the same, and no character is one that a terminal obeys or hides: those are
 * written as escapes.
 */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(controls, (found) =>
    Array.from({ length: found.length }, (_, at) => escapeOf(found.charCodeAt(at))).join(''),
  );
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
