/** `jwt-public-key`: base64 of the 32 bytes of an Ed25519 public key. */

const KEY_BYTES = 32;
/** An Ed25519 key as DER (SubjectPublicKeyInfo), the form inside a PEM file: 12 bytes of header, then the raw key. */
const SPKI_BYTES = 44;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The raw key, or what is wrong with the text and how to put it right. Line breaks are ignored, as in Go. */
export function decodePublicKey(text: string): Uint8Array | string {
  const compact = text.replace(/[\r\n]/g, '');
  if (compact.includes('-----BEGIN')) return 'a PEM file; its last 32 bytes, base64-encoded, are the raw key';
  if (!BASE64.test(compact)) {
    if (/[_-]/.test(compact)) return 'base64url perhaps; the standard alphabet has "+" and "/"';
    if (BASE64.test(`${compact}=`) || BASE64.test(`${compact}==`)) return 'base64 without its "=" at the end';
    return 'not base64';
  }
  const bytes = Buffer.from(compact, 'base64');
  if (bytes.length === SPKI_BYTES) return 'a DER key of 44 bytes; its last 32 bytes are the raw key';
  if (bytes.length !== KEY_BYTES) return `${bytes.length} bytes`;
  return new Uint8Array(bytes);
}
