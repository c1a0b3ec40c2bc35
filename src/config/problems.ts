/** What is wrong with a configuration file, said so that the admin can put it right: file, place, key, expected, found. */
import type { JsonPath, JsonValue, Position } from './json-source.js';

const SHOWN_LENGTH = 60;
const PLAIN_KEY = /^[\w-]+$/;
/** Values under these keys are never shown. A public key is no secret, but a private one may stand there by mistake. */
const SECRETS: ReadonlySet<string | number | undefined> = new Set(['password', 'jwt-public-key', 'backend-token']);

/** `metrics.clock.frequency`, `metric-store.nats-subscriptions[0].stream`, `metrics["a b"]`. */
export function pathText(path: JsonPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!PLAIN_KEY.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** The value as JSON, shortened; only its type when the key is a secret's. */
export function foundText(path: JsonPath, value: JsonValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (SECRETS.has(path.at(-1))) return `a ${value === null ? 'null' : typeof value} (not shown)`;
  const hide = (key: string, inner: unknown) => (SECRETS.has(key) ? '(not shown)' : inner);
  const shown = withoutCredentials(JSON.stringify(value, hide));
  return shown.length > SHOWN_LENGTH ? `${shown.slice(0, SHOWN_LENGTH)}...` : shown;
}

/** User and password of addresses (`nats://user:password@host`, also without the scheme) replaced by `***`. */
export function withoutCredentials(text: string): string {
  // Up to the last "@": one that stands in a password should not, but does.
  return text.replace(/\/\/[^\s,"]*@/g, '//***@').replace(/(^|[\s,"])[^\s,":@/]*:(?!\/\/)[^\s,"@]*@/g, '$1***@');
}

/** `config.json:12:5: metrics.clock.frequency: ...` */
export function problemText(file: string, position: Position, path: JsonPath, what: string): string {
  const key = path.length === 0 ? '' : `${pathText(path)}: `;
  return `${file}:${position.line}:${position.column}: ${key}${what}`;
}

/** The configuration cannot be used. `problems` are complete lines, all that were found; the message joins them. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'CONFIG_INVALID';
  constructor(
    readonly problems: readonly string[],
    options?: { cause?: unknown },
  ) {
    super(problems.join('\n'), options);
  }
}
