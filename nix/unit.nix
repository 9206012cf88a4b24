# A unit of systemd/ as NixOS declares it. Each directive comes from the shipped file, so the two cannot differ; what
# NixOS has lists for becomes one, so that a machine's configuration can add to it.
{
  # What stands for programs in the files, and what is there on NixOS.
  programs,
}:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    filter
    foldl'
    head
    isString
    length
    mapAttrs
    match
    readFile
    removeAttrs
    replaceStrings
    split
    ;

  wordsOf = text: filter (word: isString word && word != "") (split " +" text);

  # `match` forgets which packages a text names, so programs are put in afterwards.
  withPrograms = replaceStrings (attrNames programs) (attrValues programs);

  # Sections, each with its directives, each with its values in order (systemd.syntax(7)).
  add =
    state: line:
    let
      section = match "\\[([A-Za-z]+)]" line;
      directive = match "([A-Za-z][A-Za-z-]*)=(.*)" line;
      name = head directive;
      value = withPrograms (builtins.elemAt directive 1);
      known = state.sections.${state.section} or { };
    in
    if section != null then
      state // { section = head section; }
    else if directive == null then
      state
    else
      state
      // {
        sections = state.sections // {
          ${state.section} = known // {
            ${name} = (known.${name} or [ ]) ++ [ value ];
          };
        };
      };
  sectionsOf =
    file:
    (foldl' add {
      section = "";
      sections = { };
    } (filter isString (split "\n" (readFile file)))).sections;

  listed = {
    documentation = "Documentation";
    after = "After";
    before = "Before";
    conflicts = "Conflicts";
  };
  # NixOS writes it by itself, where it looks for it.
  switched = [ "X-RestartIfChanged" ];
  single = mapAttrs (_: values: if length values == 1 then head values else values);

  common =
    sections:
    mapAttrs (_: name: concatMap wordsOf (sections.Unit.${name} or [ ])) listed
    // {
      description = head sections.Unit.Description;
      unitConfig = single (
        removeAttrs sections.Unit ([ "Description" ] ++ attrValues listed)
      );
      wantedBy = concatMap wordsOf (sections.Install.WantedBy or [ ]);
    };
in
{
  # `systemd.services.NAME`. The agent switches this machine: a switch restarts none of its units.
  service =
    file:
    let
      sections = sectionsOf file;
    in
    common sections
    // {
      serviceConfig = single (removeAttrs sections.Service switched);
      restartIfChanged = false;
      stopIfChanged = false;
    };

  # One of `systemd.mounts`: its options have names of their own there.
  mount =
    file:
    let
      sections = sectionsOf file;
      valueOf = name: head sections.Mount.${name};
    in
    common sections
    // {
      what = valueOf "What";
      where = valueOf "Where";
      type = valueOf "Type";
      options = valueOf "Options";
    };

  # `systemd.timers.NAME`.
  timer =
    file:
    let
      sections = sectionsOf file;
    in
    common sections // { timerConfig = single sections.Timer; };
}
