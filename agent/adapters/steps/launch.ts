import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputKept, type Room } from './room.ts';

/** Capabilities that would lead to a block device in spite of all (capabilities(7)). */
export const takenAway = [
  ...['sys_admin', 'mknod', 'sys_rawio', 'sys_module', 'sys_ptrace', 'sys_boot'],
  ...['bpf', 'perfmon', 'dac_read_search'],
];

/** Sockets by which root could have somebody else do it. */
export const askable = [
  ...['/run/systemd/private', '/run/dbus/system_bus_socket', '/run/docker.sock', '/run/podman/podman.sock'],
  ...['/run/containerd/containerd.sock', '/run/libvirt/libvirt-sock', '/run/incus/unix.socket'],
  ...['/run/crio/crio.sock', '/run/snapd.socket', '/var/snap/lxd/common/lxd/unix.socket'],
  // The service managers of users, root's own among them, and a Nix that builds as root.
  ...['/run/user', '/nix/var/nix/daemon-socket'],
];

/**
 * Reads the credentials into the environment, removes their files, says that the program begins, and becomes it. No value is
 * in an argument. `$0` is the room, which has the program's path in a file; the names of its own variables are nobody's.
 */
const become = `
autark_room=\${0%/*}
for autark_file in "$autark_room"/credentials/*; do
  [ -f "$autark_file" ] || continue
  autark_value=$(cat "$autark_file" && echo x) || exit 125
  export "\${autark_file##*/}=\${autark_value%x}"
  rm -f "$autark_file"
done
ulimit -c 0
set -- "$(cat "$autark_room/program")"
: >"$autark_room/ready"
unset autark_room autark_file autark_value PWD OLDPWD SHLVL _
exec "$1" </dev/null
`;

/**
 * A /dev of its own, without block devices, and no way to another one: not by mounting, by making nodes, by modules, by the
 * process of somebody else, nor by asking one who may. Ends before the program begins where any of it cannot be done (S16).
 */
const apart = `
autark_room=\${0%/*}
set -e
mkdir "$autark_room/dev"
mount -t tmpfs -o mode=0755,nosuid,noexec autark "$autark_room/dev"
for autark_node in null zero full random urandom tty; do
  [ -e "/dev/$autark_node" ] || continue
  : >"$autark_room/dev/$autark_node"
  mount --bind "/dev/$autark_node" "$autark_room/dev/$autark_node"
done
ln -s /proc/self/fd "$autark_room/dev/fd"
for autark_node in stdin:0 stdout:1 stderr:2; do ln -s "/proc/self/fd/\${autark_node#*:}" "$autark_room/dev/\${autark_node%:*}"; done
for autark_node in shm pts mqueue; do
  [ -d "/dev/$autark_node" ] || continue
  mkdir "$autark_room/dev/$autark_node"
  mount --rbind "/dev/$autark_node" "$autark_room/dev/$autark_node"
done
mount --move "$autark_room/dev" /dev
for autark_node in /sys /proc/sys; do
  [ ! -d "$autark_node" ] || { mount --bind "$autark_node" "$autark_node" && mount -o remount,bind,ro "$autark_node"; }
done
for autark_node in /proc/sysrq-trigger ${askable.join(' ')}; do
  if [ -d "$autark_node" ]; then mount -t tmpfs -o mode=0700,size=4k autark "$autark_node"
  elif [ -e "$autark_node" ]; then mount --bind /dev/null "$autark_node"
  fi
done
set +e
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=${takenAway.map((name) => `-${name}`).join(',')} /bin/sh "$autark_room/become"
`;

/**
 * Keeps the end of the program's output in the room, also when its time is over and systemd ends it, and ends what the program left behind, which would hold it open. Ends as
 * the program did.
 */
const kept = `
autark_room=\${0%/*}
mkfifo "$autark_room/pipe" || exit 125
(trap '' TERM; exec tail -c ${outputKept}) <"$autark_room/pipe" >"$autark_room/output" &
autark_reader=$!
/bin/sh "$autark_room/become" >"$autark_room/pipe" 2>&1
autark_code=$?
autark_procs=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)/cgroup.procs
for autark_process in $(cat "$autark_procs" 2>/dev/null); do
  case $autark_process in $$|$autark_reader) ;; *) kill -KILL "$autark_process" 2>/dev/null ;; esac
done
wait "$autark_reader"
if [ "$autark_code" -gt 128 ]; then kill -"$((autark_code - 128))" $$; fi
exit "$autark_code"
`;

/** Writes the scripts of a run into its room: units and command lines then name files, and nothing has to be quoted. */
export async function writeScripts(room: Room, program: string): Promise<void> {
  for (const [name, text] of Object.entries({ program, become, apart, kept }))
    await writeFile(join(room.path, name), text, { mode: 0o400 });
}
