import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { blob, type Entry, forge, tree, treeWith } from './forge.ts';
import { against, besiege, forget, victim, withstands } from './siege.ts';

const siege = await besiege('trees');
afterAll(() => siege.lift());

const { ground, evil, machine, front } = siege;
const { server, admin } = ground;

/** An admin signs a tree of evil with something more in it. */
async function withEntries(...entries: readonly Entry[]): Promise<string> {
  const model = await server.commit({ files: evil, ref: null });
  return withTree(await treeWith(server, model, entries));
}

async function withTree(whole: string): Promise<string> {
  const id = await forge(server, { tree: whole, parents: [siege.good()], key: admin });
  await siege.setMain(id);
  return id;
}

const pwned = `touch ${ground.dir}/home/pwned`;

withstands(siege, 'dot-git', {
  cause: 'refused by git',
  async attack() {
    const config = await blob(server, `[core]\n\tfsmonitor = ${pwned}\n`);
    await withEntries(['40000', '.GIT', await tree(server, [['100644', 'config', config]])]);
    return undefined;
  },
});

withstands(siege, 'dot-git-unicode', {
  cause: 'look-alike of .git',
  isAuthentic: true,
  attack: async () => {
    await withEntries(['100644', '．ｇｉｔ', await blob(server, 'gitdir: ../elsewhere\n')]);
    return '．ｇｉｔ';
  },
});

withstands(siege, 'symlink-out', {
  cause: 'link out of the tree',
  isAuthentic: true,
  async attack() {
    await withEntries(['120000', 'way-out', await blob(server, '../../../../../etc')]);
    return 'way-out';
  },
});

withstands(siege, 'symlink-absolute', {
  cause: 'link out of the tree',
  isAuthentic: true,
  async attack() {
    await withEntries(['120000', 'way-home', await blob(server, `${ground.dir}/home`)]);
    return 'way-home';
  },
});

withstands(siege, 'submodule-ext', {
  cause: 'submodule',
  isAuthentic: true,
  async attack() {
    const modules = `[submodule "more"]\n\tpath = more\n\turl = ext::sh -c ${pwned.replaceAll(' ', '% ')}\n`;
    await withEntries(
      ['100644', '.gitmodules', await blob(server, modules)],
      ['160000', 'more', siege.good()],
    );
    return 'more';
  },
});

withstands(siege, 'submodule-option', {
  cause: 'refused by git',
  async attack() {
    const modules = `[submodule "more"]\n\tpath = more\n\turl = -u./${pwned}\n`;
    await withEntries(
      ['100644', '.gitmodules', await blob(server, modules)],
      ['160000', 'more', siege.good()],
    );
    return undefined;
  },
});

withstands(siege, 'tree-bomb', {
  cause: 'too many entries',
  isAuthentic: true,
  async attack() {
    // Six folders deep with sixteen names for the same folder each: 16 million entries in seven objects.
    let inner = await tree(server, [['100644', 'f', await blob(server, '')]]);
    for (let level = 0; level < 6; level += 1) inner = await tree(server, namesFor(inner));
    await withEntries(['40000', 'bomb', inner]);
    return undefined;
  },
});

function namesFor(id: string): Entry[] {
  return Array.from('0123456789abcdef', (name) => ['40000', name, id]);
}

withstands(siege, 'blob-bomb', {
  cause: 'too large a file',
  isAuthentic: true,
  async attack() {
    await withEntries(['100644', 'bomb', await blob(server, new Uint8Array(129 * 2 ** 20))]);
    return 'bomb';
  },
});

withstands(siege, 'deep-tree', {
  cause: 'too deep',
  isAuthentic: true,
  async attack() {
    let inner = await tree(server, [['100644', 'f', await blob(server, '')]]);
    for (let level = 0; level < 70; level += 1) inner = await tree(server, [['40000', 'd', inner]]);
    await withEntries(['40000', 'deep', inner]);
    return 'deep/d/d/d';
  },
});

against('attributes', async () => {
  const plants = [join(ground.dir, 'home/.gitconfig'), join(machine.memory.git, 'info/attributes')];
  const filter = `[filter "evil"]\n\tsmudge = ${pwned}; cat\n\tclean = cat\n\trequired\n`;
  writeFileSync(plants[0] ?? '', filter);
  const before = siege.state({ besidesActivation: true });
  // As few of them are on by default as there are lines that ask for them.
  const asks = '* filter=evil ident export-subst text eol=crlf working-tree-encoding=UTF-16\n';
  const literal = '$Format:%H%n%an$ $Id$ é';
  await siege.deploys(literal, { files: { '.gitattributes': asks, 'notes/.gitattributes': asks } });
  expect(machine.running().system).toBe(literal);
  expect(siege.state({ besidesActivation: true })).toEqual(before);
  forget(...plants);
});

withstands(siege, 'option-names', {
  cause: 'not a host name',
  isAuthentic: true,
  async attack() {
    for (const ref of optionRefs) await server.git(['update-ref', ref, siege.good()]);
    return server.commit({ files: { ...evil, ...(await ground.withHost(option)) } }).then(() => undefined);
  },
  async meanwhile() {
    await ground.look(front.url('reader'));
    const enrolled = await ground.enrol(option, front.url(victim), 'odd');
    siege.disregard(enrolled.machine);
    expect(enrolled.code).not.toBe(0);
    expect(enrolled.machine.running().system).toBeNull();
  },
  async mend() {
    for (const ref of optionRefs) await server.git(['update-ref', '-d', ref]);
  },
});

const option = `--upload-pack=${pwned}`;
const optionRefs = ['--upload-pack=x', '-u', 'state/--exec=x', 'enroll/--help/-x'].map(
  (name) => `refs/heads/${name}`,
);

withstands(siege, 'huge-message', {
  cause: 'unsigned',
  async attack() {
    const whole = await server.commit({ files: evil, ref: null });
    const message = `${'so much to say '.repeat(500_000)}\n`;
    const id = await forge(server, { tree: whole, parents: [siege.good()], message });
    await siege.setMain(id);
    return id;
  },
  async meanwhile(_siege, said) {
    expect(said.length).toBeLessThan(20_000);
    expect((await machine.published(ground.repository)).length).toBeLessThan(20_000);
  },
});

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

withstands(siege, 'escapes', {
  cause: 'unsigned',
  attack: () =>
    server.commit({
      files: evil,
      key: null,
      subject: '\u001b]0;pwned\u0007\u001b[2J\u009b31m\u202e all is well\r\u001b[8m',
    }),
  async meanwhile(_siege, said) {
    expect(said).not.toMatch(controls);
    expect(await machine.published(ground.repository)).not.toMatch(controls);
    const look = await ground.look(front.url('reader'));
    expect(look.output).toContain(victim);
    expect(look.output).not.toMatch(controls);
  },
});
