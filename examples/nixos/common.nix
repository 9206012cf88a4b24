{
  config,
  lib,
  pkgs,
  ...
}:
let
  # Where autark was built on each machine: `npm ci && npm run build`; see README.md.
  autark = "/opt/autark";
in
{
  # The agent itself. A system without this unit is held (10): it would orphan the machine.
  systemd.services.autark = {
    description = "autark: rebuilds this machine from Git";
    wantedBy = [ "multi-user.target" ];
    path = [
      config.nix.package
      pkgs.git
      pkgs.openssh
    ];
    # It is the agent that switches: the switch must neither restart nor stop it.
    restartIfChanged = false;
    unitConfig.X-StopOnRemoval = false;
    serviceConfig = {
      Type = "simple";
      ExecStart = "${pkgs.nodejs}/bin/node ${autark}/dist/agent/main.js agent";
      Restart = "always";
      RestartSec = 10;
      # SIGTERM to the agent alone, which finishes a switch that has begun.
      KillMode = "mixed";
      TimeoutStopSec = "30min";
    };
  };

  # autark alone switches this machine.
  system.autoUpgrade.enable = false;

  nix = {
    settings.experimental-features = [
      "nix-command"
      "flakes"
    ];
    gc = {
      automatic = true;
      dates = lib.mkDefault "weekly";
      options = "--delete-older-than 30d";
    };
  };

  time.timeZone = lib.mkDefault "UTC";
  users.motd = "This machine is run from Git: what is changed by hand does not last.";

  # People come from Git as well.
  users.mutableUsers = false;
  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA… alice" ];
    # A file made with `mkpasswd` on the machine, readable by root only: no secrets in Git.
    hashedPasswordFile = "/var/lib/passwords/alice";
  };

  environment.systemPackages = [
    pkgs.git
    pkgs.nodejs
    pkgs.vim
  ];
}
