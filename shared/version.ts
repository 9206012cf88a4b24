/** What `--version` prints and every status carries; a test holds it to package.json. */
export const version = '0.2.0';
