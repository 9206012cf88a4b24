# The keys of /etc/autark/agent.yaml, in the order in which the file has them. `null` leaves a key out.
{ lib }:
let
  types = import ./types.nix lib;
  required =
    type: example: description:
    lib.mkOption { inherit type example description; };
  withDefault =
    type: default: description:
    lib.mkOption { inherit type default description; };
  optional =
    type: example: description:
    lib.mkOption {
      type = lib.types.nullOr type;
      default = null;
      inherit example description;
    };
in
{
  host = required types.name "web1" "What this machine is called in `fleet.yaml`.";
  remote =
    required types.remote "ssh://git@git.example.org/fleet.git"
      "Where the fleet repository is. Everybody on the machine can read this: a password belongs into `tokenFile`.";
  stateRemote =
    optional types.remote "ssh://git@git.example.org/state.git"
      "Where this host pushes its records, if not to `remote`.";
  branch = withDefault types.branch "main" "The branch with the configuration.";
  dir = withDefault types.folder "." "The folder of `fleet.yaml` in the repository.";
  introduction =
    required types.commit "3d4f74e143a3ff9a7b378b41f3b697ab6eed027c"
      "The commit from which this machine trusts what is signed; `autark init` prints it.";
  floor =
    optional types.commit "88d04e0c6ff7c93a0e2b1d2a9c3f5e8d7b6a5948"
      "A commit that the configuration must descend from, whatever the machine remembers.";
  key =
    optional types.path "/etc/ssh/ssh_host_ed25519_key"
      "The private key that this host signs with: Ed25519, without a passphrase. If `null`, the SSH host key, else `/var/lib/autark/key`.";
  gitKey =
    optional types.path "/var/lib/autark/git/id_ed25519"
      "The private key that opens the Git server over ssh.";
  knownHosts =
    optional types.path "/etc/autark/known_hosts"
      "The only file with keys of ssh servers (ssh_known_hosts(5)). If `null`, `/etc/autark/known_hosts`, then root's and the machine's.";
  tokenFile =
    optional types.path "/var/lib/autark/token"
      "The file whose first line is the token or password for a Git server over https; mode 0600.";
  profile =
    optional types.path "/nix/var/nix/profiles/system"
      "The system profile that generations are registered in, if not that of NixOS.";
  interval = optional types.wait "60s" "How often the server is asked. It wins over `fleet.yaml`.";
}
