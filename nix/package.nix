# autark with what it needs at run time, put together from package-lock.json. Neither buildNpmPackage nor importNpmLock
# can read a lock without addresses; and a hash of all dependencies would have to be computed anew with each of them.
{
  lib,
  callPackage,
  git,
  nodejs,
  openssh,
  runCommand,
  runtimeShell,
  npmTarball ? callPackage ./npm-tarball.nix { },
}:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    filter
    fromJSON
    readFile
    split
    ;
  inherit (fromJSON (readFile ../package.json)) version;
  inherit (fromJSON (readFile ../package-lock.json)) packages;

  # `node_modules/a/node_modules/@b/c` is the package @b/c.
  nameOf = path: lib.last (filter builtins.isString (split "node_modules/" path));
  tarballOf =
    path:
    npmTarball {
      name = packages.${path}.name or (nameOf path);
      inherit (packages.${path}) version integrity;
    };
  # TypeScript compiles, and is not there at run time: others have it as an optional peer.
  compiler = "node_modules/typescript";
  isNeeded = path: path != "" && path != compiler && !(packages.${path}.dev or false);
  unpacked = path: "unpack ${tarballOf path} $out/lib/autark/${path}\n";
in
runCommand "autark-${version}"
  {
    pname = "autark";
    inherit version;
    nativeBuildInputs = [ nodejs ];
    meta = {
      description = "Every machine of a fleet rebuilds itself from Git and commits its state back";
      license = lib.licenses.mit;
      mainProgram = "autark";
      platforms = lib.platforms.linux;
    };
  }
  ''
    unpack() {
      mkdir -p "$2"
      tar --extract --gzip --file "$1" --directory "$2" --strip-components=1 --no-same-owner
    }
    here=$out/lib/autark
    ${concatStringsSep "" (map unpacked (filter isNeeded (attrNames packages)))}
    chmod -R u+rwX $here

    # Types were checked before the release.
    unpack ${tarballOf compiler} ${compiler}
    cp -r ${../agent} agent
    cp -r ${../shared} shared
    cp ${../tsconfig.json} tsconfig.json
    cp ${../package.json} package.json
    cat >build.json <<'END'
    {
      "extends": "./tsconfig.json",
      "compilerOptions": { "noEmit": false, "noCheck": true, "types": [], "rootDir": "." },
      "include": ["agent", "shared"]
    }
    END
    node ${compiler}/lib/tsc.js --project build.json --outDir $here/dist

    cp package.json $here/package.json
    cp ${../LICENSE} $here/LICENSE
    cp -r ${../systemd} $here/systemd
    mkdir -p $out/bin $out/share/man/man1
    cp ${../docs/autark.1} $out/share/man/man1/autark.1
    cat >$out/bin/autark <<END
    #!${runtimeShell}
    export PATH="\''${PATH:+\$PATH:}${lib.makeBinPath [ git openssh ]}"
    exec ${nodejs}/bin/node $here/dist/agent/main.js "\$@"
    END
    chmod +x $out/bin/autark
    test "$($out/bin/autark --version)" = '${version}'
    mkdir -p $out/share/bash-completion/completions $out/share/fish/vendor_completions.d
    $out/bin/autark completion bash >$out/share/bash-completion/completions/autark
    $out/bin/autark completion fish >$out/share/fish/vendor_completions.d/autark.fish
  ''
