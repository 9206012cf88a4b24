declare module 'bcrypt-pbkdf' {
  /** bcrypt_pbkdf(3) of OpenBSD, in JavaScript; both functions are on the module's one export, which is CommonJS. */
  const bcrypt: {
    /** Fills `key`. @returns 0, else -1: an empty passphrase, salt or key, or no rounds */
    pbkdf(
      passphrase: Uint8Array,
      passphraseLength: number,
      salt: Uint8Array,
      saltLength: number,
      key: Uint8Array,
      keyLength: number,
      rounds: number,
    ): number;
  };
  export = bcrypt;
}
