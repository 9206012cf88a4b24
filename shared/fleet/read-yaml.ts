import { parseDocument, type Document, type ErrorCode } from 'yaml';
import { oneLine } from '../printable.ts';
import type { Problem } from './findings.ts';
import { toTree } from './to-tree.ts';
import type { MapTree } from './tree.ts';

/** More text than this is not read. */
const largest = 1024 * 1024;

/** One slip may cost the YAML parser its footing; what it says after this many complaints helps nobody. */
const complaints = 100;

/**
 * What YAML 1.2 (https://yaml.org/spec/1.2.2, section 5.1) does not count as text: most control characters; and the
 * mark that a decoder leaves where bytes were no UTF-8.
 */
const notText = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd\ufffe\uffff]/;

export type Reading =
  | { readonly ok: true; readonly tree: MapTree; readonly document: Document.Parsed }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a map from YAML 1.2 with the core schema. No merge keys, no tags but those of the core schema, one
 * document, no key twice; aliases and nesting are bounded, so that a small text cannot grow large.
 */
export function readYaml(text: string): Reading {
  const unreadable = unreadableProblem(text);
  if (unreadable !== undefined) return { ok: false, problems: [unreadable] };
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    stringKeys: true,
    prettyErrors: false,
    // Found by `toTree`, which needs a moment where the parser's own search needs minutes.
    uniqueKeys: false,
  });
  const problems = syntaxProblems(document);
  if (problems.length > 0) return { ok: false, problems };
  const read = toTree(document.contents);
  if (read.problems.length > 0) return { ok: false, problems: read.problems };
  if (read.tree?.kind === 'map') return { ok: true, tree: read.tree, document };
  const found = read.tree?.kind === 'list' ? 'a list' : 'a single value';
  const start = read.tree?.start ?? 0;
  return { ok: false, problems: [isNoMap(read.tree === undefined ? 'nothing' : found, start)] };
}

function unreadableProblem(text: string): Problem | undefined {
  if (text.length > largest) {
    const remedy = 'move what is long out of it; at most 1 MiB is read';
    return { start: 0, key: '', cause: 'the file is larger than 1 MiB', remedy };
  }
  const start = text.search(notText);
  if (start === -1) return undefined;
  const code = text.charCodeAt(start).toString(16).toUpperCase().padStart(4, '0');
  const cause = `the file is not UTF-8 text: it contains U+${code}`;
  return { start, key: '', cause, remedy: 'restore the file from Git, or take the character out' };
}

function syntaxProblems(document: Document.Parsed): readonly Problem[] {
  const { errors, warnings, directives } = document;
  const problems = [...errors, ...warnings].slice(0, complaints).map(({ pos, code, message }) => ({
    start: pos[0],
    key: '',
    cause:
      code === 'RESOURCE_EXHAUSTION'
        ? 'the file is nested too deeply'
        : `the file is not valid YAML: ${tidy(message)}`,
    remedy: remedyFor(code),
  }));
  if (directives.yaml.version === '1.2') return firstAtEachPlace(problems);
  const cause = `the file says that it is YAML ${directives.yaml.version}, not 1.2`;
  return [{ start: 0, key: '', cause, remedy: 'remove the line that begins with %YAML' }, ...problems];
}

function firstAtEachPlace(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ start }, index) => problems.findIndex((each) => each.start === start) === index);
}

/** The parser quotes the text in some messages. */
function tidy(message: string): string {
  const line = oneLine(message);
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

function remedyFor(code: ErrorCode): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'indent with spaces';
    case 'BAD_INDENT':
      return 'align the line with its neighbours, with spaces';
    case 'TAG_RESOLVE_FAILED':
      return 'remove the tag; values are plain YAML';
    case 'MULTIPLE_DOCS':
      return 'keep one document in the file: remove the line `---` and what does not belong';
    case 'NON_STRING_KEY':
      return 'write the key as plain text';
    case 'RESOURCE_EXHAUSTION':
      return 'write it with less nesting';
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
    case 'BAD_SCALAR_START':
    case 'UNEXPECTED_TOKEN':
      return 'mend the line; text with `: `, ` #` or a special first character needs quotes';
    default:
      return 'mend the YAML there';
  }
}

function isNoMap(found: string, start: number): Problem {
  const cause = found === 'nothing' ? 'the file is empty' : `the file must be a map of keys, not ${found}`;
  return { start, key: '', cause, remedy: 'write `key: value` lines, or restore the file from Git' };
}
