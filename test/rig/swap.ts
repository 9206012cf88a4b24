import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './run.ts';
import { tool } from './fake-disk.ts';

/** Swap that is switched on, in a file of the test's own. */
export interface Swap {
  /** Whether these bytes were written there. */
  has(text: string): boolean;
}

/** Switches swap on, before any that the machine has, and off again however `during` ends. */
export async function withSwap<T>(megabytes: number, during: (swap: Swap) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'autark-test-swap-'));
  const image = join(folder, 'swap');
  const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  let loop: string | undefined;
  try {
    await tool('truncate', '--size', `${megabytes}M`, image);
    // Through a loop device: not every file system, such as that of a container, takes a swap file.
    loop = await tool('losetup', '--find', '--show', image);
    await tool('mkswap', '--quiet', loop);
    await tool('swapon', '--priority', '32767', loop);
    return await during({ has: (text) => readFileSync(image).includes(text) });
  } finally {
    if (loop !== undefined) {
      await run('swapoff', [loop], { env });
      await tool('losetup', '--detach', loop);
    }
    rmSync(folder, { recursive: true });
  }
}

/** What the kernel says of a file's first page (Documentation/admin-guide/mm/pagemap.rst). */
export interface PageFlags {
  readonly unevictable: boolean;
  readonly swapBacked: boolean;
}

/**
 * A Perl program that maps the first page of a file and says two of its flags, and then asks the kernel to write that page out
 * (`MADV_PAGEOUT`), as it does by itself when memory is short. By numbers of system calls: `perl-base` has no more.
 */
export const pageProgram = `use strict;
my ($machine) = map { chomp; $_ } \`uname -m\`;
my ($mmap, $madvise) = $machine eq 'aarch64' ? (222, 233) : (9, 28);
open(my $file, '<', $ARGV[0]) or die "$ARGV[0]: $!";
my $at = syscall($mmap, 0, 4096, 1, 1, fileno($file), 0);
die "mmap: $!" if $at == -1;
unpack('P1', pack('Q', $at)); # It has to be read to be there.
sub entry { my ($path, $index) = @_; my $bytes;
  open(my $in, '<:raw', $path) or die "$path: $!";
  sysseek($in, $index * 8, 0); sysread($in, $bytes, 8) == 8 or die "$path: $!";
  return unpack('Q', $bytes); }
my $frame = entry('/proc/self/pagemap', $at / 4096) & ((1 << 55) - 1);
die 'no page' if $frame == 0;
my $flags = entry('/proc/kpageflags', $frame);
print(($flags >> 18) & 1, ($flags >> 14) & 1, "\\n");
syscall($madvise, $at, 4096, 21) == 0 or die "madvise: $!";
`;

/** Reads what it writes. */
export function parsePageFlags(said: string): PageFlags {
  if (!/^[01]{2}$/.test(said)) throw new Error(`no flags: ${said}`);
  return { unevictable: said.startsWith('1'), swapBacked: said.endsWith('1') };
}
