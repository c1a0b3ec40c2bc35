/** The JWT that cc-backend is asked with (`main.backend-token`, `main.backend-token-file`). */
import { readFileSync } from 'node:fs';
import { errorText } from '../base/log.js';
import type { BackendToken, MainConfig } from './config.js';

const TOKEN = /^[\x21-\x7e]+$/;

/** Whether the text can stand in a header as a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** cc-backend answers nobody without a token, and then nothing is freed by its age: says so when there is none to be had. */
export function backendTokenProblem({ backendUrl, backendToken }: MainConfig): string | undefined {
  if (backendUrl === undefined) return undefined;
  if (backendToken === undefined) {
    return 'backend-url without backend-token or backend-token-file: cc-backend will refuse, and no old data be freed';
  }
  try {
    readBackendToken(backendToken);
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

/**
 * The token. A file is read at each call, so that a new one needs no restart.
 * @throws Error that names file and key when there is none in the file.
 */
export function readBackendToken(token: BackendToken): string {
  if (typeof token === 'string') return token;
  const what = `${token.file} (main.backend-token-file)`;
  let text: string;
  try {
    text = readFileSync(token.file, 'utf8').trim();
  } catch (cause) {
    throw new Error(`${what}: cannot read it`, { cause });
  }
  if (!isToken(text)) throw new Error(`${what}: expected one JWT and nothing else`);
  return text;
}
