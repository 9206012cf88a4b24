import { expect } from 'vitest';
import { approveHost } from '../../../shared/fleet/edit.ts';
import { parseFleet } from '../../../shared/fleet/parse.ts';
import { genesis, publicKey } from './sample.ts';

export const machine = { host: 'web7', key: publicKey(7), genesis };

export function approved(text: string, more: Partial<Parameters<typeof approveHost>[1]> = {}): string {
  const result = approveHost(text, { ...machine, ...more });
  expect(result.ok ? undefined : result.failure).toBeUndefined();
  return result.ok ? result.value : '';
}

export function refused(text: string, more: Partial<Parameters<typeof approveHost>[1]> = {}) {
  const result = approveHost(text, { ...machine, ...more });
  return result.ok ? undefined : result.failure;
}

/** The lines that the later text has more; fails unless taking them away gives the earlier text. */
export function addedLines(before: string, after: string): readonly string[] {
  const old = before.split('\n');
  const added: string[] = [];
  let at = 0;
  for (const line of after.split('\n')) {
    if (line === old[at]) at += 1;
    else added.push(line);
  }
  expect(old.slice(at), 'lines of the earlier text that are gone').toEqual([]);
  return added;
}

export function hostOf(text: string, name = 'web7') {
  const result = parseFleet(text, { file: 'fleet.yaml', version: '1.4.0' });
  expect(result.ok ? [] : result.failure).toEqual([]);
  return result.ok ? result.value.hosts.get(name) : undefined;
}
