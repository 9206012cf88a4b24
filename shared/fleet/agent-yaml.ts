import * as v from 'valibot';
import { stringify } from 'yaml';
import { fail, ok, type Result } from '../failure.ts';
import { formatDuration } from './duration.ts';
import { failureFrom, placed } from './findings.ts';
import type { AgentSettings } from './fleet.ts';
import { isConfigurationBranch, isRemoteAddress } from './git-names.ts';
import { readYaml } from './read-yaml.ts';
import { validate } from './validate.ts';
import * as value from './values.ts';

const remote = v.pipe(v.string('remote'), v.check(isRemoteAddress, 'remote'));

/** `/etc/autark/agent.yaml`, in the order in which it is written. */
const schema = v.strictObject({
  host: value.name,
  remote,
  stateRemote: v.exactOptional(remote),
  branch: v.exactOptional(v.pipe(v.string('branch'), v.check(isConfigurationBranch, 'branch'))),
  dir: v.exactOptional(value.folderInTree),
  introduction: value.commitId,
  floor: v.exactOptional(value.commitId),
  key: v.exactOptional(value.pathOnHost),
  gitKey: v.exactOptional(value.pathOnHost),
  knownHosts: v.exactOptional(value.pathOnHost),
  tokenFile: v.exactOptional(value.pathOnHost),
  profile: v.exactOptional(value.pathOnHost),
  interval: v.exactOptional(value.wait),
});

/**
 * The settings that `agent.yaml` says, with its defaults. The failure (2) has the first finding as its cause and
 * the others in its detail.
 *
 * @param file what the failure calls the file
 */
export function parseAgentSettings(text: string, file: string): Result<AgentSettings> {
  const reading = readYaml(text);
  if (!reading.ok) return fail(failureFrom('agent-config', placed(reading.problems, text, file)));
  const { problems, unknown, value: plain } = validate(schema, reading.tree);
  const wrong = [...problems, ...unknown];
  if (wrong.length > 0) return fail(failureFrom('agent-config', placed(wrong, text, file)));
  return ok({ branch: 'main', dir: '.', ...v.parse(schema, plain) });
}

/**
 * The same file with another `key`, and all else as somebody wrote it, comments included. Where that is not to be had,
 * as in a file on one line, it is written anew.
 */
export function withKey(text: string, key: string): Result<string> {
  const before = parseAgentSettings(text, 'agent.yaml');
  if (!before.ok) return before;
  const wanted = formatAgentSettings({ ...before.value, key });
  const line = `key: ${stringify(key, { lineWidth: 0 }).trimEnd()}`;
  const lines = text.split('\n');
  const at = lines.findIndex((each) => /^key\s*:/.test(each));
  const edited = at < 0 ? `${text.trimEnd()}\n${line}\n` : lines.with(at, line).join('\n');
  const after = parseAgentSettings(edited, 'agent.yaml');
  return ok(after.ok && formatAgentSettings(after.value) === wanted ? edited : wanted);
}

/** The file that `enroll` writes: the same text for the same settings. */
export function formatAgentSettings(settings: AgentSettings): string {
  const { interval, ...others } = settings;
  const written = new Map<string, string>(Object.entries(others));
  if (interval !== undefined) written.set('interval', formatDuration(interval));
  const pairs = Object.keys(schema.entries).flatMap((key) => {
    const each = written.get(key);
    return each === undefined ? [] : [[key, each] as const];
  });
  const body = stringify(Object.fromEntries(pairs), { lineWidth: 0 });
  return `# Written by \`autark enroll\`: which host this machine is, and where its fleet is.\n${body}`;
}
