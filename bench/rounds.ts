/** One thing that is measured: a number per call, in the unit that the table names. */
export interface Contender {
  readonly name: string;
  readonly measure: () => Promise<number>;
}

export interface Row {
  readonly name: string;
  readonly values: readonly number[];
}

/** Calls every contender once a round, the order turned each round, after one round that does not count. */
export async function compare(contenders: readonly Contender[], rounds: number): Promise<Row[]> {
  const values = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = -1; round < rounds; round += 1) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const { name, measure } of order) {
      const value = await measure();
      if (round >= 0) values.get(name)?.push(value);
    }
  }
  return contenders.map(({ name }) => ({ name, values: values.get(name) ?? [] }));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Prints raw values, medians, and what each median is beside the floor, the first row. */
export function report(
  title: string,
  unit: string,
  rows: readonly Row[],
  goals: readonly string[] = [],
): void {
  const floor = median(rows[0]?.values ?? []);
  process.stdout.write(`\n${title} (${unit})\n`);
  for (const { name, values } of rows) {
    const middle = median(values);
    const beside = `${(middle / floor).toFixed(2)}× ${signed(middle - floor)}`;
    const raw = values.map((value) => value.toFixed(1)).join(' ');
    process.stdout.write(
      `  ${name.padEnd(28)} ${middle.toFixed(1).padStart(8)}  ${beside.padEnd(16)} ${raw}\n`,
    );
  }
  for (const goal of goals) process.stdout.write(`  goal: ${goal}\n`);
}

function signed(value: number): string {
  return value < 0 ? value.toFixed(1) : `+${value.toFixed(1)}`;
}
