{
  config,
  lib,
  pkgs,
  ...
}:
{
  # The agent itself. A system without it is held (10): it would orphan the machine.
  services.autark = {
    enable = true;
    host = config.networking.hostName;
    remote = "ssh://git@git.example.org/fleet.git";
    # The commit that `autark init` printed.
    introduction = "0000000000000000000000000000000000000000";
    # As `enroll` made it on the machine.
    gitKey = "/var/lib/autark/git/id_ed25519";
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
    pkgs.vim
  ];
}
