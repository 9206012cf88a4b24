/**
 * The X25519 public key that belongs to an Ed25519 one: both are points of the same curve, written in two forms
 * (RFC 7748, section 4.1). Public keys alone: nothing here runs in constant time.
 */

const p = 2n ** 255n - 19n;
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * @param point 32 bytes of RFC 8032
 * @returns `undefined` when no such point is on the curve, or it is the neutral one: nobody could have the other half
 */
export function toMontgomery(point: Uint8Array): Uint8Array | undefined {
  // The highest bit is the sign of x, which the other form does not have.
  const y = fromLittleEndian(point) & (2n ** 255n - 1n);
  if (point.length !== 32 || y >= p || y === 1n || !isOnCurve(y)) return undefined;
  return toLittleEndian(modulo((1n + y) * inverse(modulo(1n - y))));
}

/**
 * Whether a u of RFC 7748 is of one of the few points that three doublings take to the neutral one: everybody would know what is
 * shared with it. The doubling is that of the RFC's ladder.
 */
export function isOfLowOrder(point: Uint8Array): boolean {
  let [x, z] = [modulo(fromLittleEndian(point) & (2n ** 255n - 1n)), 1n];
  for (let doubling = 0; doubling < 3; doubling += 1) {
    const [plus, minus] = [modulo((x + z) ** 2n), modulo((x - z) ** 2n)];
    const rest = modulo(plus - minus);
    [x, z] = [modulo(plus * minus), modulo(rest * (plus + 121665n * rest))];
  }
  return z === 0n;
}

/** Whether x² = (y² − 1) / (d·y² + 1) has a solution: Euler's criterion, and a quotient is a square when the product is. */
function isOnCurve(y: bigint): boolean {
  const square = modulo(y * y);
  const product = modulo((square - 1n) * (d * square + 1n));
  return product === 0n || power(product, (p - 1n) / 2n) === 1n;
}

function inverse(value: bigint): bigint {
  return power(value, p - 2n);
}

function power(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

function modulo(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).reverse().toString('hex')}`);
}

function toLittleEndian(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
}
