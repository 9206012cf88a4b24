/** Bech32 (BIP 173) without its limit of 90 characters, which age's keys exceed. */

const letters = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** @returns `undefined` for mixed case, a wrong checksum, or bits left over: one text for each key, and no other */
export function fromBech32(
  text: string,
): { readonly prefix: string; readonly bytes: Uint8Array } | undefined {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return undefined;
  const [, prefix, data] = /^([!-~]+)1([02-9ac-hj-np-z]{6,})$/.exec(lower) ?? [];
  if (prefix === undefined || data === undefined) return undefined;
  const values = Array.from(data, (letter) => letters.indexOf(letter));
  if (checksum([...expanded(prefix), ...values]) !== 1) return undefined;
  const bytes = toBytes(values.slice(0, -6));
  return bytes === undefined ? undefined : { prefix, bytes };
}

function expanded(prefix: string): readonly number[] {
  const codes = [...Buffer.from(prefix, 'latin1')];
  return [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
}

function checksum(values: readonly number[]): number {
  return values.reduce((sum, value) => {
    const top = sum >>> 25;
    const shifted = ((sum & 0x1ffffff) << 5) ^ value;
    return generators.reduce((mixed, each, index) => ((top >> index) & 1 ? mixed ^ each : mixed), shifted);
  }, 1);
}

/** Groups of five bits as bytes. What is left at the end must be less than a group, and zero. */
function toBytes(groups: readonly number[]): Uint8Array | undefined {
  const bytes: number[] = [];
  let [rest, bits] = [0, 0];
  for (const group of groups) {
    rest = ((rest << 5) | group) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((rest >> bits) & 0xff);
  }
  return bits < 5 && (rest & ((1 << bits) - 1)) === 0 ? Uint8Array.from(bytes) : undefined;
}
