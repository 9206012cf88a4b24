import type { Cause, Said } from './subject.ts';

const said = (code: number, words: RegExp, isPublished = true): Said => ({ code, words, isPublished });

/** What autark says, and its exit codes (docs/contract.md). What is the server's fault goes into no record. */
export const says: Readonly<Record<Cause, Said>> = {
  unsigned: said(20, /the commit is not signed/),
  'not an admin': said(20, /which is not an admin’s key at its parent/),
  'made for another purpose': said(20, /the signature was made for “file”, not for “git”/),
  OpenPGP: said(20, /it is signed with OpenPGP, which is not accepted/),
  'X.509': said(20, /it is signed with an X\.509 certificate, which is not accepted/),
  'two signatures': said(20, /the commit has two signatures/),

  'below the floor': said(20, /does not descend from [0-9a-f]{40}, which this host must not go below/),
  'not from the introduction': said(20, /the revision does not descend from the introduction/),
  'merged from outside': said(20, /a merged commit does not descend from the introduction/),

  'configuration unreadable': said(21, /fleet\.yaml:\d+:\d+/),
  'not a host name': said(21, /must be a name of lower-case letters, digits and -/),
  'refused by git': said(21, /holds an object that git refuses/, false),

  'look-alike of .git': said(21, /some file systems take the name for \.git/),
  'link out of the tree': said(21, /the link leads out of the tree|the link’s target is absolute/),
  submodule: said(21, /it is a submodule, and those are never fetched/),
  'too many entries': said(21, /the tree has more than 200000 entries/),
  'too large a file': said(21, /the tree has more than 134217728 bytes in a file/),
  'too deep': said(21, /the tree has more than 64 directories deep/),

  'objects missing': said(50, /did not receive expected object|did not send all necessary objects/, false),
  'bytes are not the object': said(50, /the bytes in the Git directory are not those of this object/, false),
  'history cut short': said(50, /with its history cut short/, false),
  'pack cut off': said(50, /ended the connection/, false),
  'pack is garbage': said(50, /pack/, false),
  'endless messages': said(50, /the server sends endless messages/, false),
  redirected: said(50, /the server points to another address/, false),
  'push refused': said(51, /the server refused to change refs\/heads\/state\/\S+: .*declined/, false),
  'push not kept': said(51, /took the push of state\/\S+ and then showed another tip/, false),

  'state gone': said(0, /state\/\S+ is gone from the server/),
  'state set back': said(0, /state\/\S+ was set back on the server/),
  'state not its own': said(0, /state\/\S+ held [0-9a-f]{40}, which this host did not sign/),

  'no memory of its own': said(10, /no journal/, false),
  'state is another’s': said(12, /this host's key signed/, false),

  'another machine is that host': said(22, /pins another key for \S+ than the one this machine holds/, false),
  'not approved': said(10, /is not approved|does not name/, false),
};
