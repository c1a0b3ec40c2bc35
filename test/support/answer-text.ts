import type { Answer } from '../../src/store/store.js';

/** The text of an answer, whole or in pieces. */
export async function textOf(answer: Answer): Promise<string> {
  if (answer instanceof Uint8Array) return Buffer.from(answer).toString();
  const parts: Uint8Array[] = [];
  for await (const part of answer) parts.push(part.slice());
  return Buffer.concat(parts).toString();
}
