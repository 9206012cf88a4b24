/** What proc_pid_mountinfo(5) says of one mount. */
export interface Mount {
  readonly id: number;
  readonly parent: number;
  /** Where it is mounted, as this process sees it. */
  readonly point: string;
  readonly type: string;
  readonly source: string;
  /** Of this mount and of its file system together: one `ro` is enough. */
  readonly isReadOnly: boolean;
  /** Of the file system, such as `upperdir` of an overlay. */
  readonly options: ReadonlyMap<string, string>;
}

/** Lines that are no mounts are passed over. */
export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [front = '', back] = line.split(' - ');
    const [id, parent, , , point, own] = front.split(' ');
    if (back === undefined || point === undefined || own === undefined) return [];
    const [type = '', source = '', whole = ''] = back.split(' ');
    const options = optionsOf(whole);
    const isReadOnly = optionsOf(own).has('ro') || options.has('ro');
    const names = { point: unescaped(point), type, source: unescaped(source) };
    return [{ id: Number(id), parent: Number(parent), ...names, isReadOnly, options }];
  });
}

function optionsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(',').map((each) => {
      const [name = '', ...value] = each.split('=');
      return [name, unescaped(value.join('='))];
    }),
  );
}

/** Blanks, line ends and backslashes are written as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_all, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}

/**
 * The mount that holds a path, found as the kernel finds it: from the root on, always into what is mounted nearest on
 * top of the mount that one is in. The longest mount point alone would name one that another covers.
 * @param path absolute and without links
 */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  const ids = new Set(mounts.map(({ id }) => id));
  let at = mounts.find(({ point, id, parent }) => point === '/' && (parent === id || !ids.has(parent)));
  // Where a changed root is no mount of its own, the list begins below it.
  if (at === undefined) return nearest(mounts, path, 'last');
  const passed = new Set<number>();
  for (;;) {
    passed.add(at.id);
    const above = mounts.filter(({ id, parent }) => parent === at?.id && !passed.has(id));
    const next = nearest(above, path, 'first');
    if (next === undefined) return at;
    at = next;
  }
}

/** Of the mounts on the way to a path, the one that is come to first or last. */
function nearest(mounts: readonly Mount[], path: string, which: 'first' | 'last'): Mount | undefined {
  const onWay = mounts.filter(({ point }) => holds(point, path));
  const byLength = onWay.toSorted((a, b) => a.point.length - b.point.length);
  return which === 'first' ? byLength[0] : byLength.at(-1);
}

function holds(point: string, path: string): boolean {
  return point === '/' || point === path || path.startsWith(`${point}/`);
}
