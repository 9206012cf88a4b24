/**
 * Which names of devices a step may destroy: a whole disk below `/dev/disk/by-id`. The kernel's own names are handed out
 * anew at each boot, and `by-uuid`, `by-label` and the like follow what is written on a disk, not the disk.
 */
export function isStableName(path: string): boolean {
  return wholeDisk.test(path) && !ofContents.test(path) && !ofPart.test(path);
}

const wholeDisk = /^\/dev\/disk\/by-id\/(?!\.{1,2}$)[^/\s\u0000-\u001f\u007f]+$/;
/** Names that udev gives to what is on disks: whoever copies a volume's UUID to another disk moves the name. */
const ofContents = /^\/dev\/disk\/by-id\/(?:dm-|md-|lvm-)/;
const ofPart = /-part[0-9]+$/;
