/**
 * What an agent must withstand, a sentence each: one test has each of them for its name (attacks.test.ts sees to
 * that). Every one ends the same way unless it says otherwise: see `withstands` in siege.ts.
 */
export const attacks = {
  // Who signed
  unsigned: 'a commit that nobody signed',
  'strangers-key': 'a commit signed by somebody who is no admin',
  'signed-above-unsigned': 'an admin’s commit on top of one that nobody signed',
  'removed-admin': 'a commit signed by an admin who was removed before',
  'removed-admin-forks': 'a removed admin goes on from a commit at which the key still counted',
  'removed-admin-merges': 'a removed admin merges such a fork of their own into the branch',
  backdated: 'a removed admin’s commit, dated before the removal',
  'other-namespace': 'an admin’s signature that was made for files, and not for Git',
  openpgp: 'a commit with an OpenPGP signature',
  x509: 'a commit with an X.509 signature',
  'two-signatures': 'a commit with an admin’s signature and a stranger’s',

  // What was signed above what
  'half-an-admin': 'a merge by somebody who is an admin on one of its sides only',
  'before-the-introduction': 'a merged branch that left before the introduction',
  'own-root': 'a signed history with a root of its own',
  'signers-emptied': 'an admin empties the list of admins, and a stranger signs above that',
  'signers-deleted': 'an admin deletes the list of admins, and a stranger signs above that',
  'signers-garbled': 'an admin garbles the list of admins, and a stranger signs above that',
  'configuration-garbled': 'an admin garbles the fleet’s configuration',

  // Going back
  rollback: 'the branch is set back to an older revision',
  'force-push': 'the branch is replaced by another one that admins signed',
  replay: 'the whole repository as it was some time ago is served again',
  'old-journal': 'the machine’s journal is an older one, and so is the branch',
  'lost-journal': 'the machine’s journal is gone',
  'lost-journal-hidden-state':
    'the machine’s journal is gone, and the server hides what the machine published',
  'restored-snapshot': 'the machine is restored from a snapshot, and the branch is as old',
  'restored-snapshot-twice': 'the machine is restored from a snapshot twice on one day',

  // What git can be told
  replaced: 'a replacement for an unsigned commit, on the server and in the agent’s own Git directory',
  grafted: 'a graft that leaves an unsigned commit out, in the agent’s own Git directory',
  alternates: 'alternates in the agent’s own Git directory, with an object that is not what it is called',
  shallow: 'a server that says that history begins above an unsigned commit',
  partial: 'a server that leaves an object out of its pack',
  promisor: 'a server that leaves an object out, and a Git directory told to fetch it later',

  // What a tree can hold
  'dot-git': 'a file whose name is .git in other letters',
  'dot-git-unicode': 'a file whose name is .git in letters of another width',
  'symlink-out': 'a symbolic link that leads out of the tree',
  'symlink-absolute': 'a symbolic link to an absolute path',
  attributes: 'attributes that ask for filters, line ends and substitutions: no byte changes',
  'submodule-ext': 'a submodule whose address is a command',
  'submodule-option': 'a submodule whose address is an option',
  'option-names': 'refs and hosts named like options',
  'tree-bomb': 'a small tree that holds itself over and over',
  'blob-bomb': 'a small pack with a huge file in it',
  'deep-tree': 'a tree deeper than any other',

  // What a message can hold
  'huge-message': 'an unsigned commit with a message of many megabytes',
  escapes: 'an unsigned commit whose message takes over terminals',

  // What a server can answer
  'cut-pack': 'a pack that ends in the middle',
  'garbage-pack': 'a pack of noise',
  'endless-answer': 'an answer that never ends',
  redirect: 'a redirect to another server',
  'pushes-refused': 'a server that takes no pushes: deployments go on, and nothing is forgotten',
  'pushes-swallowed':
    'a server that says it took a push and did not: deployments go on, nothing is forgotten',
  'two-views': 'two hosts are shown two branches that admins signed',

  // What is said of a host
  'state-deleted': 'a host’s state branch is deleted: it is pushed again, and that is told',
  'state-replayed': 'a host’s state branch is set back: it is pushed again, and that is told',
  'state-replayed-to-readers': 'a reader is shown an older state than before',
  'state-swapped': 'two hosts’ state branches are swapped',
  'state-overwritten': 'somebody who can push overwrites a host’s state branch',
  'two-machines': 'two machines write one state branch',

  // Who a machine is
  'taken-name': 'a machine enrols under the name of a host that there is',
  'genesis-substituted': 'what a machine enrols with is replaced before it is approved',
  laptop: 'a clone on a laptop pretends to be a host',
} as const;

export type AttackName = keyof typeof attacks;
