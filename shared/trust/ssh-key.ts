/** SSH keys as files and as wire bytes. */
export {
  enrolKeyId,
  fingerprint,
  formatPublicKey,
  parsePublicBlob,
  parsePublicKey,
  type KeyType,
  type PublicKey,
} from './public-key.ts';
export { formatPrivateKey, parsePrivateKey, type PrivateKey, type PrivateKeyProblem } from './private-key.ts';
