/** Characters of a line; what comes after them is dropped, so that a line without end costs no memory. */
const longest = 64 * 1024;

/** Cuts a stream of UTF-8 into lines, whatever the borders of its chunks. A last line without an end is not given. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Uint8Array) => void {
  const decoder = new TextDecoder();
  let begun = '';
  return (chunk) => {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    begun = (begun + first).slice(0, longest);
    for (const next of rest) {
      onLine(begun);
      begun = next.slice(0, longest);
    }
  };
}
