import { ok } from '../../shared/failure.ts';
import { auditFleet, type Audit } from '../fleet/verify.ts';
import { fetchFleet } from './fetched.ts';
import { paragraph } from './paragraph.ts';
import { trusted } from './trusted.ts';
import type { Act } from './verb.ts';

/** `autark verify`: exits with 0 only if all is well, and else with the code of the first finding. */
export const verify: Act = async (args, context) => {
  const fetched = await fetchFleet(context);
  if (!fetched.ok) return fetched;
  const audited = await auditFleet(fetched.value.clone, fetched.value.refs);
  if (!audited.ok) return audited;
  const { findings, snapshot } = audited.value;
  const { introduction } = snapshot.authority;
  const { terminal } = context;
  if (introduction.isFound) terminal.note(`autark: ${trusted(introduction.id)}`);
  const [first] = findings;
  terminal.out(
    args.flag('json')
      ? JSON.stringify({ format: 1, ok: first === undefined, findings }, null, 2)
      : [...findings.map(paragraph), summary(audited.value)].join('\n'),
  );
  return ok(first?.code ?? 0);
};

function summary({ snapshot, commits, records, findings }: Audit): string {
  const since = `since the introduction ${snapshot.authority.introduction.id}`;
  const configuration = commits === 0 ? [] : [`${counted(commits, 'commit')} ${since} authentic`];
  const total = [...records.values()].reduce((sum, each) => sum + each, 0);
  const histories = `${counted(total, 'record')} of ${counted(records.size, 'host')} good`;
  const end = findings.length === 0 ? 'all is well' : counted(findings.length, 'finding');
  return `${[...configuration, histories].join(', ')}: ${end}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
