{
  networking.hostName = "server";
  nixpkgs.hostPlatform = "x86_64-linux";

  # Replace by what `nixos-generate-config --show-hardware-config` says on the machine.
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-label/BOOT";
    fsType = "vfat";
    options = [ "umask=0077" ];
  };

  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "no";
    };
  };

  services.nginx = {
    enable = true;
    recommendedTlsSettings = true;
    virtualHosts."www.example.org" = {
      enableACME = true;
      forceSSL = true;
      root = "/srv/www";
      locations."= /healthz".return = "200 ok";
    };
  };
  security.acme = {
    acceptTerms = true;
    defaults.email = "admin@example.org";
  };

  networking.firewall.allowedTCPPorts = [
    80
    443
  ];

  # Owns what nginx serves.
  users.groups.www = { };
  users.users.www = {
    isSystemUser = true;
    group = "www";
  };
  systemd.tmpfiles.rules = [ "d /srv/www 0755 www www" ];

  # The release of the first installation. It stays, also when nixpkgs moves on.
  system.stateVersion = "26.05";
}
