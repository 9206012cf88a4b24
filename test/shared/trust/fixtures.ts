import { createHash, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { formatPrivateKey, parsePrivateKey, type PrivateKey } from '../../../shared/trust/ssh-key.ts';
import { armour, signatureInput } from '../../../shared/trust/sshsig.ts';
import { privateKeyObject } from '../../../shared/trust/private-key.ts';
import { valueOf } from '../../agent/adapters/scratch.ts';

export function fixture(name: string): string {
  return readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8');
}

const keys = new Map<string, PrivateKey>();

/** Always the same key for a name. */
export function keyOf(name: string): PrivateKey {
  const key = keys.get(name) ?? makeKey(name);
  keys.set(name, key);
  return key;
}

function makeKey(name: string): PrivateKey {
  const seed = createHash('sha256').update(`key of ${name}`).digest();
  return valueOf(parsePrivateKey(formatPrivateKey(seed, name, 7)));
}

/** A uint32 length and the bytes (RFC 4251, section 5), built apart from the code under test. */
export function string(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** What a hardware token would do (OpenSSH PROTOCOL.u2f): a key in software that signs like one. */
export function token(name: string, application = 'ssh:') {
  const { seed, publicBlob } = keyOf(name);
  const type = 'sk-ssh-ed25519@openssh.com';
  const blob = Buffer.concat([string(type), string(publicBlob.subarray(-32)), string(application)]);
  const sha256 = (content: string | Uint8Array): Buffer => createHash('sha256').update(content).digest();
  return {
    blob,
    line: `${type} ${blob.toString('base64')}`,
    sign: (namespace: string, message: Uint8Array, flags = 0x01, stated = flags): string => {
      const counter = Buffer.from('0000002a', 'hex');
      const input = sha256(signatureInput(namespace, message));
      const signed = Buffer.concat([sha256(application), Buffer.of(flags), counter, input]);
      const raw = sign(null, signed, privateKeyObject(seed));
      return armour(blob, namespace, Buffer.concat([string(type), string(raw), Buffer.of(stated), counter]));
    },
  };
}
