/** The PATH of builds and activations: the system's own folders and nothing of whoever started the agent. */
export const programPath =
  '/run/current-system/sw/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
