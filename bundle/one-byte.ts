const plain: Readonly<Record<string, string>> = {
  '\u2013': '-',
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
};

/**
 * Prose without the signs that only typography needs. Beyond Latin-1, one character is enough for V8 to keep a whole
 * file in two bytes each, in every agent's memory. Throws for one that cannot be spared.
 */
export function oneByte(prose: string): string {
  return prose.replace(/[^\u0000-\u00ff]/gu, (sign) => {
    const instead = plain[sign];
    if (instead === undefined) throw new Error(`${JSON.stringify(sign)} would widen the whole file`);
    return instead;
  });
}

/** The same for the comments in code, where any sign can be spared: formulas. The bundler has escaped the rest. */
export function oneByteComments(code: string): string {
  const spared = (comment: string): string =>
    comment.replace(/[^\u0000-\u00ff]/gu, (sign) => plain[sign] ?? '?');
  return code.replace(/^\s*(\*|\/\/).*$/gm, spared);
}
