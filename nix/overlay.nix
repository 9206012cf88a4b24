# nixpkgs with `autark`.
final: _prev: {
  autark = final.callPackage ./package.nix { };
}
