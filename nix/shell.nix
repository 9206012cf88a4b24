# What `npm ci` and `npm test` need. The tests of booted machines are left out by name.
{
  mkShell,
  git,
  nix,
  nodejs,
  openssh,
}:
mkShell {
  packages = [
    git
    nix
    nodejs
    openssh
  ];
}
