/**
 * How long a test waits for one thing that is sure to come, in milliseconds: longer than it takes on a machine that does
 * ten other things, and shorter than the test itself may take, so that it can say what it waited for.
 */
export const patience = { timeout: 120_000, interval: 10 };
