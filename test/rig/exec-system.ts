import type { FileChange } from './world.ts';

/**
 * The files of an exec host whose system is one text file: building copies it, activating puts it into the host's
 * `etc/motd` and notes its name, so that a test sees what ran and how often.
 */
export function execHost(host: string, motd: string): Record<string, FileChange> {
  return { [`hosts/${host}/build`]: { executable: buildScript }, [`hosts/${host}/motd`]: `${motd}\n` };
}

export const buildScript = `#!/bin/sh
set -eu
mkdir -p "$out/bin" "$out/etc"
cp "hosts/$AUTARK_HOST/motd" "$out/etc/motd"
cat >"$out/bin/switch-to-configuration" <<'END'
#!/bin/sh
set -eu
system=$(dirname "$(dirname "$0")")
mkdir -p "$AUTARK_ROOT/etc"
cp "$system/etc/motd" "$AUTARK_ROOT/etc/motd.new"
mv "$AUTARK_ROOT/etc/motd.new" "$AUTARK_ROOT/etc/motd"
echo "$1 $(cat "$AUTARK_ROOT/etc/motd")" >>"$AUTARK_ROOT/activations"
END
chmod +x "$out/bin/switch-to-configuration"
`;
