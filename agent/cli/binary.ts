/** What a terminal would obey rather than show. */
export function isBinary(value: Uint8Array): boolean {
  const text = Buffer.from(value).toString('utf8');
  return !Buffer.from(text, 'utf8').equals(value) || /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text);
}
