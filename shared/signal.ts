const codes: ReadonlyMap<unknown, number> = new Map([
  ['SIGINT', 130],
  ['SIGQUIT', 131],
  ['SIGTERM', 143],
]);

/** What a program that this signal ended exits with: 128 and the signal's number, as a shell says it (bash(1), EXIT STATUS). */
export function signalCode(reason: unknown): number {
  return codes.get(reason) ?? 143;
}
