{
  description = "Every machine of a fleet rebuilds itself from Git and commits its state back";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forAllSystems =
        make:
        builtins.listToAttrs (
          map (name: {
            inherit name;
            value = make nixpkgs.legacyPackages.${name};
          }) systems
        );
    in
    {
      packages = forAllSystems (pkgs: rec {
        autark = pkgs.callPackage ./nix/package.nix { };
        default = autark;
      });
      overlays.default = import ./nix/overlay.nix;
      nixosModules.default.imports = [ ./nix/module.nix ];
      devShells = forAllSystems (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { };
      });
    };
}
