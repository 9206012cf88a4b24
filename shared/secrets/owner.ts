/**
 * Numbers of users and groups: 32 bits, of which the last, 4294967295, is (uid_t) -1, by which chown(2) leaves a file as
 * it is.
 */
export const highestId = 4_294_967_294;

/** Whether a file can be given to the user or group with that number. */
export function canOwn(id: number): boolean {
  return Number.isSafeInteger(id) && id >= 0 && id <= highestId;
}
