/** What git says of objects that it has and cannot read, in the C locale (object-file.c, packfile.c of git). */
const words = [
  /^(error|fatal): object file .+ is empty$/m,
  /^(error|fatal): loose object [0-9a-f]+ \(stored in .+\) is corrupt$/m,
  /^(error|fatal): (packfile .+ (is far too short|cannot be accessed|does not match)|.+ is corrupt)/m,
  /^error: (inflate: data stream error|unable to unpack [0-9a-f]+ header)/m,
];

/**
 * Whether a git failed over what lies in its own directory, such as the empty objects of a power cut: no later fetch
 * mends those, for git believes that it has them. A server may say the same, but git puts `remote: ` before its lines;
 * and all that follows is one more fetch.
 */
export function saysDamaged(text: string): boolean {
  return words.some((each) => each.test(text));
}
