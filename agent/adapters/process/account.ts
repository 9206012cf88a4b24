/** A user of this machine as whom a program runs instead of the agent's own. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}
