/** Keeps nothing between two calls. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text that these bytes are in UTF-8 (RFC 3629), or `undefined`. Nothing is replaced or dropped, a byte
 * order mark included, so that encoding the text gives the same bytes again.
 */
export function strictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
