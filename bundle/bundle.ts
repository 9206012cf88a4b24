import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { build as runBundler, type Plugin } from 'esbuild';
import { licencesOf, packagesIn, type Licensed } from './licences.ts';
import { oneByteComments } from './one-byte.ts';

export interface Bundle {
  /** The whole program: one ES module with a `#!` line. */
  readonly text: string;
  readonly packages: readonly Licensed[];
}

/**
 * The agent and all its packages as one file, made from the sources. The same sources, packages and bundler give the
 * same bytes, wherever the project lies.
 * @param root the project's folder, absolute
 */
export async function bundle(root: string): Promise<Bundle> {
  const { outputFiles, metafile } = await runBundler({
    entryPoints: ['agent/main.ts'],
    absWorkingDir: root,
    // The names of files in the result are those in the project, also where node_modules is a link.
    preserveSymlinks: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Names and lines stay, for traces of stacks; and one byte a character: see one-byte.ts.
    minify: false,
    charset: 'ascii',
    // All of them stand at the end, whole.
    legalComments: 'none',
    banner: { js: tooOld },
    define: { AUTARK_SHIPPED: JSON.stringify(shipped(root)) },
    plugins: [lazyBuiltins, withoutColors, withoutLocales],
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  if (outside.length > 0) throw new Error(`the file would still need ${outside.join(', ')}`);
  const packages = packagesIn(Object.keys(metafile.inputs), root);
  const [output] = outputFiles;
  return { text: `${oneByteComments(output?.text ?? '')}\n${licencesOf(packages)}`, packages };
}

function shipped(root: string): Readonly<Record<string, string>> {
  const folder = join(root, 'systemd');
  const names = readdirSync(folder).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Before anything else: an older Node would only say which function it misses. */
const tooOld = `if (typeof process.getBuiltinModule !== 'function') {
  process.stderr.write(\`autark: it needs Node 20.19 or newer, and this is \${process.version} (\${process.execPath}); install one\\n\`);
  process.exit(1);
}`;

/**
 * Node's own modules are asked for when the module that needs them begins: an `import` at the top of the one file would
 * load all of them at every start.
 */
const lazyBuiltins: Plugin = {
  name: 'lazy-builtins',
  setup(build) {
    build.onResolve({ filter: /^(node:)?[a-z]/ }, ({ path, kind }) => {
      if (kind === 'entry-point' || !isBuiltin(path)) return undefined;
      // `string_decoder/` is a package; without the slash, and with `node:`, it is Node's.
      return { path: path.replace(/^(node:)?/, 'node:'), namespace: 'builtin' };
    });
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    }));
  },
};

/** `debug` does without it, so it is left out also where something else has installed it. */
const withoutColors: Plugin = {
  name: 'without-colors',
  setup(build) {
    build.onResolve({ filter: /^supports-color$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    build.onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * y18n would look for the words of yargs in a folder beside the file. It does without when it cannot read, and says
 * the English ones (`updateFiles: false`; build/lib/index.js).
 */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup(build) {
    let isDone = false;
    build.onLoad({ filter: /y18n\/build\/lib\/platform-shims\/node\.js$/ }, () => {
      isDone = true;
      return {
        contents: `import { format } from 'util';
          import { resolve } from 'path';
          export default { fs: {}, format, resolve, exists: () => false };`,
      };
    });
    build.onEnd(() =>
      isDone ? undefined : { errors: [{ text: 'y18n is built in another way: see bundle/bundle.ts' }] },
    );
  },
};
