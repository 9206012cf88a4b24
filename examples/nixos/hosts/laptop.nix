{ pkgs, ... }:
{
  networking.hostName = "laptop";
  nixpkgs.hostPlatform = "x86_64-linux";

  # Replace by what `nixos-generate-config --show-hardware-config` says on the machine.
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  boot.initrd.luks.devices.nixos.device = "/dev/disk/by-label/encrypted";
  fileSystems."/" = {
    device = "/dev/mapper/nixos";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/BOOT";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };

  networking.networkmanager.enable = true;
  users.users.alice.extraGroups = [ "networkmanager" ];

  services.power-profiles-daemon.enable = true;
  services.fwupd.enable = true;

  time.timeZone = "Europe/Berlin";

  environment.systemPackages = [
    pkgs.tmux
    pkgs.w3m
  ];

  # The release of the first installation. It stays, also when nixpkgs moves on.
  system.stateVersion = "26.05";
}
