/**
 * What `fleet.yaml` says of a secret, after parsing: a value that is sealed in Git to its hosts and the readers, and
 * placed on those hosts with this owner and mode.
 */
export interface Secret {
  readonly name: string;
  /** Those that may open it, in the file's order: named, or in one of its groups; none that is retired. */
  readonly hosts: readonly string[];
  readonly owner: string;
  readonly group: string;
  /** Permission bits; no more than 0o777. */
  readonly mode: number;
  /** An absolute path on the host that is to lead to it, besides the one below `/run/autark/secrets`. */
  readonly path?: string;
  /** Units that are restarted, or reloaded, when the value changes. */
  readonly restart: readonly string[];
  readonly reload: readonly string[];
  /** Whether it is there before users are made. */
  readonly early: boolean;
  /** Whether each host has a value of its own. */
  readonly each: boolean;
}

/** How a secret is placed on a host. */
export type Placing = Pick<
  Secret,
  'name' | 'owner' | 'group' | 'mode' | 'path' | 'restart' | 'reload' | 'early'
>;

/** A secret as a revision holds it for one host. */
export interface SealedSecret extends Placing {
  /** Its file in the tree, as `sealedPath` names it. */
  readonly file: string;
  /** The bytes of that file, binary or armoured; `null` when the revision does not have it; or it is larger than any host opens. */
  readonly sealed: Uint8Array | 'too-large' | null;
}

/** What a host holds of one secret: why it could not be opened, or a digest of its value that only this host can make. */
export type Held =
  { readonly name: string; readonly digest: string } | { readonly name: string; readonly cause: string };
