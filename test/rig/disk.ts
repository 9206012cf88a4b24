import { run, must } from './run.ts';

/** Programs of the machine that tests run on. */
const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/** Makes an ext4 file system in a file, with a folder's content in it. */
export async function makeDisk(image: string, content: string, megabytes: number): Promise<void> {
  await must('truncate', ['--size', `${megabytes}M`, image], { env });
  // All of it is for files, and nothing is left for the kernel to do later.
  const options = ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=0,lazy_journal_init=0'];
  await must('mkfs.ext4', [...options, '-d', content, image], { env });
}

/** What taking or putting back a snapshot does; the machine must be off. */
export async function copyDisk(from: string, to: string): Promise<void> {
  await must('cp', ['--sparse=always', from, to], { env });
}

/** Whether the kernel still holds it: a file system that a power cut ended would be found again by a new mount. */
export async function isAttached(image: string): Promise<boolean> {
  const { stdout } = await run('losetup', ['--noheadings', '--associated', image], { env });
  return stdout.trim() !== '';
}

/**
 * EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (fs/ext4/ext4.h): from now on nothing reaches the disk, not even
 * what the journal holds. Then the machine is ended at once, before its programs see errors that no power cut shows.
 */
const pullPlug = [
  'open(my $folder, "<", $ARGV[0]) or die "$ARGV[0]: $!";',
  'my $how = pack("L", 2);',
  'ioctl($folder, 0x8004587d, $how) or die "EXT4_IOC_SHUTDOWN: $!";',
  'kill("KILL", $ARGV[1]) or die "kill: $!";',
].join(' ');

/**
 * @param pid a process that sees the disk mounted
 * @param leader process 1 of the machine, as this one numbers it
 */
export async function cutPower(pid: number, folder: string, leader: number): Promise<void> {
  const perl = ['perl', '-e', pullPlug, folder, String(leader)];
  await must('nsenter', ['--target', String(pid), '--mount', '--', ...perl], { env });
}
