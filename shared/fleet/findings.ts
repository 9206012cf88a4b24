import { LineCounter } from 'yaml';
import type { Failure } from '../failure.ts';
import type { Finding } from './fleet.ts';

/** Something wrong at an offset of the text; a `Finding` once its line and column are known. */
export interface Problem {
  readonly start: number;
  /** The dotted path of the key; empty for the whole file. */
  readonly key: string;
  readonly cause: string;
  readonly remedy: string;
}

/** As many of the further findings are told as a person reads. */
const told = 50;

/** In the file's order, each once, with lines and columns that count from 1. */
export function placed(problems: readonly Problem[], text: string, file: string): readonly Finding[] {
  const counter = lineCounter(text);
  const seen = new Set<string>();
  return problems
    .toSorted((left, right) => left.start - right.start)
    .filter(({ start, cause }) => {
      const id = `${start} ${cause}`;
      return !seen.has(id) && seen.add(id);
    })
    .map(({ start, key, cause, remedy }) => {
      const { line, col } = counter.linePos(start);
      return { file, line, column: col, key, cause, remedy };
    });
}

function lineCounter(text: string): LineCounter {
  const counter = new LineCounter();
  counter.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) counter.addNewLine(at + 1);
  return counter;
}

/** The failure (21) of a `fleet.yaml` with these findings: the first one, with the others in its detail. */
export function failureOf(findings: readonly Finding[]): Failure {
  return failureFrom('invalid', findings);
}

/** The same for any file and kind. */
export function failureFrom(kind: 'invalid' | 'agent-config', findings: readonly Finding[]): Failure {
  const [first, ...others] = findings;
  if (first === undefined) return { kind, cause: 'the file is not valid', remedy: 'mend it and push' };
  const failure = { kind, cause: first.cause, where: whereOf(first), remedy: first.remedy };
  if (others.length === 0) return failure;
  const lines = others.slice(0, told).map((each) => `${whereOf(each)}: ${each.cause}; ${each.remedy}`);
  if (others.length > told) lines.push('…');
  return { ...failure, detail: [`and ${others.length} more:`, ...lines].join('\n') };
}

function whereOf({ file, line, column }: Finding): string {
  return `${file}:${line}:${column}`;
}
