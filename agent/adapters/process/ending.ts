import type { Ending } from '../../ports.ts';

/**
 * How a program ended, to follow its name.
 * @param timeout milliseconds that it had
 */
export function endingText(ending: Ending, timeout: number): string {
  switch (ending.how) {
    case 'exited':
      return `exited with code ${ending.code}`;
    case 'signalled':
      return `was ended by ${ending.signal}`;
    case 'timeout':
      return `took longer than ${Math.ceil(timeout / 100) / 10} s`;
    case 'flooded':
      return 'wrote more output than it may';
    case 'aborted':
      return 'was stopped';
    case 'unstartable':
      return `could not be started: ${ending.reason}`;
  }
}
