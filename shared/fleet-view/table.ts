/** One cell: its text, and how it is dressed when colours are on. */
export interface Cell {
  readonly text: string;
  /** A Select Graphic Rendition code (ECMA-48, 8.3.117), such as 31 for red. */
  readonly style?: number;
}

export interface Sheet {
  /** Columns; text beyond it is cut, in the last column. */
  readonly width: number;
  readonly colour: boolean;
}

/** Plain aligned columns, two spaces apart; the last one takes what room is left. */
export function table(rows: readonly (readonly Cell[])[], sheet: Sheet): string {
  const widths = columnWidths(rows);
  return rows.map((row) => `${line(row, widths, sheet)}\n`).join('');
}

function columnWidths(rows: readonly (readonly Cell[])[]): readonly number[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, lengthOf(cell.text))));
  }
  return widths;
}

function line(row: readonly Cell[], widths: readonly number[], { width, colour }: Sheet): string {
  let room = width;
  const cells = row.map((cell, index) => {
    const text = cut(cell.text, Math.max(0, room));
    const wide = widths[index] ?? 0;
    room -= wide + 2;
    const dressed =
      colour && cell.style !== undefined && text !== '' ? `\u001b[${cell.style}m${text}\u001b[0m` : text;
    return index === row.length - 1 ? dressed : dressed + ' '.repeat(Math.max(0, wide - lengthOf(text)));
  });
  return cells.join('  ').trimEnd();
}

function cut(text: string, room: number): string {
  const characters = Array.from(text);
  if (characters.length <= room) return text;
  return room < 1 ? '' : `${characters.slice(0, room - 1).join('')}…`;
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
