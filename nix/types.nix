# What agent.yaml takes, as types of options: what the agent would refuse on the machine is refused where it is
# written. The rules are those of shared/fleet/values.ts and git-names.ts; tests hold the two to each other.
lib:
let
  inherit (builtins)
    all
    elem
    elemAt
    filter
    fromJSON
    isString
    match
    replaceStrings
    split
    stringLength
    ;

  type =
    name: description: check:
    lib.mkOptionType {
      inherit name description;
      descriptionClass = "noun";
      check = value: isString value && check value;
      merge = lib.mergeEqualOption;
    };
  matches = pattern: text: match pattern text != null;
  # Whether a text has none of these in it.
  lacks = parts: text: replaceStrings parts (map (_: "") parts) text == text;
  isPlain = matches "[^[:cntrl:]]*";
  partsOf = text: filter isString (split "/" text);
  hasDots = text: elem "." (partsOf text) || elem ".." (partsOf text);

  isPathInTree =
    text: matches "[^/[:cntrl:]]+(/[^/[:cntrl:]]+)*" text && !matches "-.*" text && !hasDots text;

  isRemote =
    text:
    let
      lower = lib.toLower text;
      # Not every Nix can look for brackets within brackets, and a plain text has neither of these.
      unbracketed = replaceStrings [ "[" "]" ] [ "\t" "\n" ] lower;
      isUrl = matches "(ssh|git|https?)://.*" lower;
      isHttp = matches "https?:.*" lower;
    in
    stringLength text <= 2000
    && isPlain text
    && !matches "[[:space:]]*" text
    && (!isUrl || matches "[a-z]+://([^/?#]*@)?(\t[^\n]*\n|[^/?#:@]+)(:[0-9]*)?(/.*)?" unbracketed)
    && (!isHttp || lacks [ "?" "#" ] text)
    # No option, no program of its own, and no host that ssh takes for an option.
    && !matches "-.*|[a-z0-9+.-]*::.*|(ext|fd):.*" lower
    && !matches "[a-z0-9+.-]+://([^/@]*@)*-.*|[^/:]*@-.*" lower;

  # As git-check-ref-format(1) has it, and not where hosts write.
  isBranch =
    text:
    let
      isPart = part: part != "" && !matches "\\..*|.*\\.lock" part;
    in
    stringLength text <= 200
    && isPlain text
    && lacks [ ".." "@{" " " "~" "^" ":" "?" "*" "[" "\\" ] text
    && !matches "@|HEAD|-.*|.*\\.|(state|testing|enroll)(/.*)?" text
    && all isPart (partsOf text);

  # Node's timers hold 24 days.
  most = {
    ms = 2073600000;
    s = 2073600;
    m = 34560;
    h = 576;
    d = 24;
  };
  isWait =
    text:
    let
      parts = match "([1-9][0-9]{0,11})(ms|s|m|h|d)" text;
    in
    parts != null && fromJSON (elemAt parts 0) <= most.${elemAt parts 1};
in
{
  name = type "autarkName" "name of lower-case letters, digits and -, at most 63 of them" (
    matches "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
  );
  commit = type "autarkCommit" "whole commit id of 40 hexadecimal digits" (matches "[0-9a-f]{40}");
  remote = type "autarkRemote" "address that Git can fetch from" isRemote;
  branch = type "autarkBranch" "name of a branch, none of state, testing, enroll nor below them" isBranch;
  folder = type "autarkFolder" "folder of the repository, or ." (
    text: text == "." || isPathInTree text
  );
  # Text, never a Nix path, which would be copied to the store: everybody can read that.
  path = type "autarkPath" "absolute path on the machine, as text" (
    text: matches "(/[^/[:cntrl:]]+)+" text && !hasDots text
  );
  wait = type "autarkWait" "duration such as 30s, 5m or 2h, of at most 24 days" isWait;
}
