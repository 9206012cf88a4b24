/** Real lines of Nix with `--log-format internal-json`, as its versions print them. */
export interface Lines {
  /** One derivation whose builder prints two lines and fails with exit code 3. */
  readonly failing: readonly string[];
  /** `1 + "x"` in line 6 of `flake.nix`. */
  readonly type: readonly string[];
}

const drv = '/nix/store/9p00fv2bczj7cx14464s9sdiwqzb86vx-failing.drv';
const colours = { red: '\\u001b[31;1m', path: '\\u001b[35;1m', none: '\\u001b[0m' };

const failing = (cause: string): readonly string[] => [
  '@nix {"action":"start","id":90988882165761,"level":0,"text":"","type":102}',
  '@nix {"action":"start","id":90988882165762,"level":0,"text":"","type":104}',
  '@nix {"action":"start","id":90988882165763,"level":0,"text":"","type":103}',
  '@nix {"action":"result","fields":[0,1,0,0],"id":90988882165762,"type":105}',
  '@nix {"action":"result","fields":[101,0],"id":90988882165761,"type":106}',
  `@nix {"action":"start","fields":["${drv}","",1,1],"id":90988882165765,"level":3,"text":"building '${drv}'","type":105}`,
  '@nix {"action":"result","fields":[0,1,1,0],"id":90988882165762,"type":105}',
  '@nix {"action":"result","fields":["one"],"id":90988882165765,"type":101}',
  '@nix {"action":"result","fields":["two"],"id":90988882165765,"type":101}',
  '@nix {"action":"result","fields":[0,0,0,1],"id":90988882165762,"type":105}',
  '@nix {"action":"stop","id":90988882165765}',
  `@nix {"action":"msg","column":null,"file":null,"level":0,"line":null,"msg":"${colours.red}error:${colours.none} ${cause}","raw_msg":"${cause}"}`,
];

const type = (file: string): readonly string[] => [
  `@nix {"action":"msg","column":14,"file":"${file}","level":0,"line":6,"msg":"error: cannot add ${colours.path}a string${colours.none} to an integer","raw_msg":"cannot add ${colours.path}a string${colours.none} to an integer"}`,
];

const source = '/nix/store/pjsfyxika7798943cl7bqb4cim1j60vl-source/flake.nix';

/** 2.8. */
export const old: Lines = {
  failing: failing(
    `${colours.path}${colours.none}builder for '${colours.path}${drv}${colours.none}' failed with exit code 3${colours.none}`,
  ),
  type: type(source),
};

/** 2.34. */
export const recent: Lines = {
  failing: failing(
    `Cannot build '${colours.path}${drv}${colours.none}'.\\nReason: ${colours.red}builder failed with exit code 3${colours.none}.`,
  ),
  type: type(`${source}:6:14`),
};
