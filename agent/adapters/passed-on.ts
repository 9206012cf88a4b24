import { programPath } from '../../shared/program-path.ts';

/** How the network is reached, as curl, git and Nix read it from their environment. */
const network = [
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'CURL_CA_BUNDLE',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
] as const;

/**
 * What a program may have of the environment of whoever started the agent: where programs are, how the network is
 * reached, and these further variables. Nothing else of it reaches a program.
 */
export function passedOn(
  from: Readonly<Record<string, string | undefined>>,
  further: readonly string[] = [],
): Record<string, string> {
  const env: Record<string, string> = { PATH: programPath };
  for (const name of ['PATH', ...network, ...further]) {
    const value = from[name];
    if (value !== undefined && value !== '') env[name] = value;
  }
  return env;
}
