# One package of package-lock.json, byte for byte as npm fetches it from wherever npm is told to fetch from: the lock
# names no addresses. The lock's integrity is the hash of the result, so nothing else can come of it.
{
  lib,
  cacert,
  nodejs,
  runCommand,
}:
{
  name,
  version,
  integrity,
}:
runCommand "${builtins.replaceStrings [ "@" "/" ] [ "" "-" ] name}-${version}.tgz"
  {
    nativeBuildInputs = [ nodejs ];
    outputHash = integrity;
    # Who has a registry of their own names it in the environment of whatever Nix builds: the agent's, the daemon's.
    impureEnvVars = lib.fetchers.proxyImpureEnvVars ++ [ "npm_config_registry" ];
    NODE_EXTRA_CA_CERTS = "${cacert}/etc/ssl/certs/ca-bundle.crt";
  }
  ''
    export HOME=$PWD
    mkdir tarball
    npm pack --silent --ignore-scripts --pack-destination tarball '${name}@${version}'
    mv tarball/*.tgz $out
  ''
