{
  description = "A fleet of NixOS machines";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
  # Where you have autark from.
  inputs.autark.url = "git+https://git.example.org/autark.git";
  inputs.autark.inputs.nixpkgs.follows = "nixpkgs";

  outputs =
    {
      self,
      nixpkgs,
      autark,
    }:
    let
      host =
        module:
        nixpkgs.lib.nixosSystem {
          modules = [
            autark.nixosModules.default
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
