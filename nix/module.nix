# NixOS: the agent's units, its users, and /etc/autark/agent.yaml. docs/nixos.md tells how to install it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.autark;
  keys = import ./options.nix { inherit lib; };
  units = import ./unit.nix {
    programs = {
      "@autark@" = "${cfg.package}/bin/autark";
      "@secret@" = "${cfg.package}/lib/autark/systemd/autark-secret";
      "/bin/kill" = "${pkgs.coreutils}/bin/kill";
    };
  };
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    match
    toJSON
    ;

  # In JSON, which is YAML: no text means anything but itself.
  line = name: "${name}: ${toJSON cfg.${name}}\n";
  settings = concatStringsSep "" (map line (filter (name: cfg.${name} != null) (attrNames keys)));

  # What the units run, beside what every unit of NixOS finds.
  path = [
    config.nix.package
    pkgs.git
    pkgs.openssh
    # For its disks, and the metadata that brings their layout back.
    pkgs.util-linux
    pkgs.lvm2
    pkgs.mdadm
    pkgs.cryptsetup
  ];
  unit = name: units.service (../systemd + "/${name}.service") // { inherit path; };
  # By that the agent knows when another has taken its place here.
  agent = unit "autark" // {
    environment.AUTARK_PROGRAM = "${cfg.package}/bin/autark";
  };

  inStore = file: file != null && lib.hasPrefix "${builtins.storeDir}/" file;
  isOutOfStore = name: {
    assertion = !inStore cfg.${name};
    message = "services.autark.${name} is in the Nix store, where everybody can read it: name a file outside of it, as text in quotes.";
  };
  # With http a user whose password is nowhere else may be a token.
  secret = "[a-z]+://[^/@]*:[^/]*@.*" + (if cfg.tokenFile == null then "|https?://[^/]*@.*" else "");
  isWithoutSecret = name: {
    assertion = cfg.${name} == null || match secret (lib.toLower cfg.${name}) == null;
    message = "services.autark.${name} holds a password or a token, and would be in the Nix store, where everybody can read it: put it into a file, and name that as tokenFile.";
  };

  # Their numbers are the machine's own; the names are those that the agent looks for.
  user = description: name: {
    users.${name} = {
      isSystemUser = true;
      group = name;
      inherit description;
    };
    groups.${name} = { };
  };
in
{
  options.services.autark = keys // {
    enable = lib.mkEnableOption "autark, by which this machine rebuilds itself from Git";
    package = lib.mkOption {
      type = lib.types.package;
      default = pkgs.callPackage ./package.nix { };
      defaultText = lib.literalExpression "pkgs.callPackage ./package.nix { }";
      description = "The package of autark.";
    };
    once = lib.mkOption {
      type = lib.types.bool;
      default = false;
      description = "Whether a timer begins a cycle every five minutes, instead of an agent that stays: for machines that can spare no memory.";
    };
  };

  config = lib.mkIf cfg.enable {
    assertions =
      map isOutOfStore [
        "key"
        "gitKey"
        "tokenFile"
      ]
      ++ map isWithoutSecret [
        "remote"
        "stateRemote"
      ];

    environment.etc."autark/agent.yaml".text = ''
      # Made by services.autark of this machine's configuration.
    ''
    + settings;
    environment.systemPackages = [ cfg.package ];

    systemd.services = {
      # Also where the timer is used: a system without this unit is held, and `systemctl start` may want it.
      autark = agent // {
        wantedBy = if cfg.once then [ ] else agent.wantedBy;
      };
      autark-recovery = unit "autark-recovery";
      autark-secrets-early = unit "autark-secrets-early";
      autark-secrets = unit "autark-secrets";
      "autark-secret@" = unit "autark-secret@";
    }
    // lib.optionalAttrs cfg.once { autark-once = unit "autark-once"; };
    systemd.timers = lib.optionalAttrs cfg.once {
      autark-once = units.timer ../systemd/autark-once.timer;
    };

    systemd.mounts = [ (units.mount ../systemd/run-autark-secrets.d.mount) ];

    # Users are made by the activation script, unless sysusers or userborn make them, which the unit goes before. In a boot
    # it runs before systemd, so it mounts by itself; in a switch the agent has placed what belongs to the system.
    system.activationScripts.autarkSecrets = {
      deps = [ "specialfs" ];
      text = ''
        if [ -n "$(ls -A /var/lib/autark/secrets 2>/dev/null)" ]; then
          mkdir -p /run/autark/secrets.d
          mountpoint -q /run/autark/secrets.d ||
            mount -t ramfs -o mode=0751,nosuid,nodev,noexec ramfs /run/autark/secrets.d
          timeout 60 ${cfg.package}/bin/autark secrets install --early --system "$systemConfig" || echo 'autark: not all secrets are there' >&2
        fi
      '';
    };
    system.activationScripts.users.deps = [ "autarkSecrets" ];

    users = lib.mkMerge [
      (user "autark fetches and pushes" "autark-git")
      (user "autark builds systems of kind exec" "autark-build")
    ];
  };
}
