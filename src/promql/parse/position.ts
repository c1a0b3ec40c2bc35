/** Errors of a query's text, and how a place in it is printed. */

/** `line:column` of an index, both from 1; columns count UTF-8 bytes, as Prometheus's do. */
export function lineAndColumn(text: string, index: number): string {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf('\n') + 1;
  const line = before.split('\n').length;
  return `${line}:${Buffer.byteLength(before.slice(lineStart)) + 1}`;
}

/** A query that is no PromQL or has a wrong type. `message` is Prometheus's: `1:5: parse error: ...`. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  /**
   * @param start index of what is wrong.
   * @param detail what is wrong and what was expected.
   */
  constructor(
    readonly start: number,
    readonly detail: string,
    text: string,
  ) {
    super(`${text === '' ? 'unknown position' : lineAndColumn(text, start)}: parse error: ${detail}`);
  }
}
