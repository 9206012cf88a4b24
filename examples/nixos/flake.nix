{
  description = "A fleet of NixOS machines";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { self, nixpkgs }:
    let
      host =
        module:
        nixpkgs.lib.nixosSystem {
          modules = [
            ./common.nix
            module
            # With this, every revision is a new generation on every host; see README.md.
            # { system.configurationRevision = self.rev or self.dirtyRev or null; }
          ];
        };
    in
    {
      # The names of the hosts in fleet.yaml, unless `system.attr` there says another.
      nixosConfigurations = {
        server = host ./hosts/server.nix;
        laptop = host ./hosts/laptop.nix;
      };
    };
}
